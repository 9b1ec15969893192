//! What can the browser ask the server?
//!
//! Thin: each function checks who asks, calls the [`crate::backend::Backend`] and sets the status of an error.

pub mod pipelines;
pub mod runs;
pub mod site;
pub mod strict;
pub mod work;

/// Who asks was checked by the router; this finds the backend and maps an error to its status.
#[cfg(feature = "ssr")]
pub(crate) async fn answer<T, F>(
    ask: impl FnOnce(std::sync::Arc<dyn crate::backend::Backend>) -> F,
) -> Result<T, crate::error::ApiError>
where
    F: Future<Output = Result<T, crate::error::ApiError>>,
{
    use leptos::prelude::{expect_context, use_context};
    let backend = expect_context::<std::sync::Arc<dyn crate::backend::Backend>>();
    let options = use_context::<leptos_axum::ResponseOptions>();
    let answer = ask(backend).await;
    if let (Err(error), Some(options)) = (&answer, options) {
        let status = http::StatusCode::from_u16(error.status()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        options.set_status(status);
    }
    answer
}
