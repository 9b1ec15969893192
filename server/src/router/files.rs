//! How do logs come out and dropped files go in?

use std::{path::Path as FilePath, sync::Arc};

use app::error::ApiError;
use axum::{
    body::Body,
    extract::{Path, Query, Request, State},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http::{HeaderValue, StatusCode, header};
use model::{ExecutionId, PipelineId, TaskId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
};

use crate::backend::Core;

pub struct Files {
    pub core: Arc<Core>,
}

/// An error of ours as an answer.
pub(super) fn refuse(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(error)).into_response()
}

pub(super) fn missing() -> Response {
    refuse(&ApiError::NotFound { sentence: "There is no such file (any more).".into() })
}

/// The whole log as it is now.
pub(super) async fn log(
    State(files): State<Arc<Files>>,
    Path((pipeline, task, n)): Path<(String, String, u64)>,
) -> Response {
    let (Ok(pipeline), Ok(task)) = (PipelineId::new(pipeline), TaskId::new(task)) else { return missing() };
    let name = format!("{task}-{n}.log");
    let execution = ExecutionId { pipeline, task, n };
    match File::open(files.core.runner.log(&execution)).await {
        Ok(file) => attachment(file, &name, "text/plain; charset=utf-8"),
        Err(_) => missing(),
    }
}

/// A file that the browser saves and never shows: nothing in it can act as a page of ours.
pub(super) fn attachment(file: File, name: &str, kind: &'static str) -> Response {
    let mut response = Response::new(Body::from_stream(pieces(file)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    headers.extend(disposition.ok().map(|value| (header::CONTENT_DISPOSITION, value)));
    response
}

fn pieces(file: File) -> impl futures::Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
    futures::stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; 64 << 10];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then_some((piece, file)))
    })
}

#[derive(serde::Deserialize)]
pub(super) struct Named {
    name: Option<String>,
}

/// Keeps a dropped file by its SHA-256; the answer is what a source is called then: `upload:SHA256/NAME`.
pub(super) async fn upload(State(files): State<Arc<Files>>, Query(named): Query<Named>, request: Request) -> Response {
    let folder = files.core.data.uploads();
    match keep(&folder, request.into_body()).await {
        Ok(sha256) => format!("upload:{sha256}{}", below(&named.name.unwrap_or_default())).into_response(),
        Err(error) => refuse(&error),
    }
}

/// A file's own name as the last part of an address. Nothing of a path is taken, and nothing that means something there.
fn below(name: &str) -> String {
    const MOST: usize = 200;
    let own = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let own: String = own.chars().filter(|c| !c.is_control()).take(MOST).collect();
    if matches!(own.as_str(), "" | "." | "..") {
        return String::new();
    }
    const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
    format!("/{}", utf8_percent_encode(&own, &PLAIN))
}

async fn keep(folder: &FilePath, body: Body) -> Result<String, ApiError> {
    let unavailable =
        |error: std::io::Error| ApiError::Unavailable { sentence: format!("The file was not kept: {error}") };
    tokio::fs::create_dir_all(folder).await.map_err(unavailable)?;
    let arriving = Arriving::new(folder);
    let sha256 = receive(body, &arriving.0).await?;
    tokio::fs::rename(&arriving.0, folder.join(&sha256)).await.map_err(unavailable)?;
    Ok(sha256)
}

/// A file that is not whole yet; gone when it is dropped, unless it was moved.
pub(super) struct Arriving(pub std::path::PathBuf);

impl Arriving {
    pub fn new(folder: &FilePath) -> Arriving {
        Arriving(folder.join(format!(".arriving-{}", uuid::Uuid::new_v4().simple())))
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        // Moved away when all went well.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Writes what comes and says its SHA-256.
pub(super) async fn receive(body: Body, to: &FilePath) -> Result<String, ApiError> {
    let unavailable =
        |error: std::io::Error| ApiError::Unavailable { sentence: format!("The file was not kept: {error}") };
    let mut file = File::create_new(to).await.map_err(unavailable)?;
    let (mut hasher, mut stream, mut bytes) = (Sha256::new(), body.into_data_stream(), 0);
    while let Some(piece) = stream.next().await {
        let piece =
            piece.map_err(|error| ApiError::Bad { sentence: format!("The file did not arrive whole: {error}") })?;
        bytes += piece.len();
        if bytes > super::TRANSFER_LIMIT {
            return Err(ApiError::Bad { sentence: "This file is larger than 64 GiB.".into() });
        }
        hasher.update(&piece);
        file.write_all(&piece).await.map_err(unavailable)?;
    }
    file.sync_all().await.map_err(unavailable)?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
