//! How does a pipeline leave as a file and come back?

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::header;
use model::PipelineId;

use super::files::{Arriving, Files, attachment, missing, receive, refuse};

/// `<id>.json` or `<id>.zip`.
pub(super) async fn export(State(files): State<Arc<Files>>, Path(file): Path<String>) -> Response {
    let Some((id, kind)) = file.rsplit_once('.') else { return missing() };
    let Ok(id) = PipelineId::new(id) else { return missing() };
    let exported = match kind {
        "json" => json(&files, &id).await,
        "zip" => zip(&files, &id).await,
        _ => return missing(),
    };
    exported.unwrap_or_else(|error| refuse(&error))
}

async fn json(files: &Files, id: &PipelineId) -> Result<Response, app::error::ApiError> {
    let name = files.core.file_name(id).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.json\"")),
    ];
    Ok((headers, files.core.export_json(id).await?).into_response())
}

async fn zip(files: &Files, id: &PipelineId) -> Result<Response, app::error::ApiError> {
    let name = files.core.file_name(id).await?;
    let file = files.core.export_zip(id).await?;
    Ok(attachment(tokio::fs::File::from_std(file), &format!("{name}.zip"), "application/zip"))
}

pub(super) async fn import(State(files): State<Arc<Files>>, request: Request) -> Response {
    let arriving = Arriving::new(files.core.data.root());
    let received = receive(request.into_body(), &arriving.0).await;
    let created = match received {
        Ok(_) => files.core.import(&arriving.0).await,
        Err(error) => Err(error),
    };
    created.map_or_else(|error| refuse(&error), |created| Json(created).into_response())
}
