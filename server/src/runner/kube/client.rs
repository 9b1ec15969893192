//! How long does the API server get for an answer, and when is it asked again?
//!
//! A connection that is open on this side only tells nothing: whatever the API server answers at once has a bound for
//! each try. Where it tells how long to wait, that long is waited, and is no part of any bound.

use std::time::Duration;

use http::{Request, Response};
use http_body_util::Either;
use kube::{
    Client, Config,
    client::{Body, ClientBuilder, retry::RetryPolicy},
};
use tower::{BoxError, retry::RetryLayer, service_fn};
use tower_http::timeout::TimeoutBody;

/// Until an answer begins.
pub const ANSWER: Duration = Duration::from_secs(15);
/// Between two pieces of an answer; a watch ends sooner by itself.
const SILENCE: Duration = Duration::from_secs(30);
/// After these tries whoever asked hears what the API server says.
const TRIES: u32 = 4;
/// A watch is begun anew, from where it was, so often; one without a word counts as dead 5 s later.
pub const WATCH_SECONDS: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// # Errors
/// The configuration is no good.
pub fn client(mut config: Config) -> kube::Result<Client> {
    config.default_retry = false;
    Ok(patient(Client::try_from(config)?))
}

/// `client`: one that asks once, and waits for as long as it takes.
pub fn patient(client: Client) -> Client {
    let (namespace, until) = (client.default_namespace().to_owned(), *client.valid_until());
    // Only pauses that are out of order are refused.
    let policy =
        RetryPolicy::new(FIRST_PAUSE, LONGEST_PAUSE, TRIES, true).unwrap_or_else(|_| RetryPolicy::server_retry());
    let bounded = service_fn(move |request| bounded(client.clone(), request));
    ClientBuilder::new(bounded, namespace).with_layer(&RetryLayer::new(policy)).with_valid_until(until).build()
}

type Answer = Response<Either<Body, TimeoutBody<Body>>>;

async fn bounded(client: Client, request: Request<Body>) -> Result<Answer, BoxError> {
    // A task may say nothing for as long as it likes. Who follows its log has an eye on that.
    if request.uri().path().ends_with("/log") {
        return Ok(client.send(request).await?.map(Either::Left));
    }
    let answer = tokio::time::timeout(ANSWER, client.send(request)).await;
    let answer = answer.map_err(|_| format!("no word for {} s", ANSWER.as_secs()))??;
    Ok(answer.map(|body| Either::Right(TimeoutBody::new(SILENCE, body))))
}
