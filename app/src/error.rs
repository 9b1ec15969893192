//! What can go wrong between browser and server?

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use model::Problem;
use serde::{Deserialize, Serialize};

/// Every answer that is not the wished one. The sentence is for people; the variant decides the status and what the page offers.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiError {
    /// 401: the cookie is missing or has ended.
    #[error("You are not signed in. Run `fletchline link` on the server's machine and open the link it prints.")]
    SignedOut,
    /// 400: the request itself is wrong.
    #[error("{sentence}")]
    Bad { sentence: String },
    /// 404.
    #[error("{sentence}")]
    NotFound { sentence: String },
    /// 409: the state does not allow it (any more).
    #[error("{sentence}")]
    Conflict { sentence: String },
    /// 409: somebody saved in between; both are shown, nothing is overwritten.
    #[error("This pipeline was changed in another place.")]
    Stale { revision: u64, document: String },
    /// 422: the document has problems that stop this run.
    #[error("{} problem(s) stop this run.", problems.len())]
    Problems { problems: Vec<Problem> },
    /// 503: trying again may help.
    #[error("{sentence}")]
    Unavailable { sentence: String },
    /// 500: a defect of ours; the log has the rest.
    #[error("Something went wrong in the server: {sentence}")]
    Internal { sentence: String },
    /// The server did not answer; what was typed is kept here.
    #[error("The server does not answer ({sentence}). Your changes are kept in this browser.")]
    Unreachable { sentence: String },
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(text) => ApiError::Unreachable { sentence: text },
            ServerFnErrorErr::Deserialization(text)
            | ServerFnErrorErr::Args(text)
            | ServerFnErrorErr::MissingArg(text) => ApiError::Bad { sentence: text },
            other => ApiError::Internal { sentence: other.to_string() },
        }
    }
}

impl ApiError {
    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            ApiError::SignedOut => 401,
            ApiError::Bad { .. } => 400,
            ApiError::NotFound { .. } => 404,
            ApiError::Conflict { .. } | ApiError::Stale { .. } => 409,
            ApiError::Problems { .. } => 422,
            ApiError::Unavailable { .. } | ApiError::Unreachable { .. } => 503,
            ApiError::Internal { .. } => 500,
        }
    }
}
