//! Which examples come along?

use app::api::pipelines::Example;
use include_dir::{Dir, DirEntry, File, include_dir};
use model::Pipeline;

/// The folder `examples/` of the sources, inside every binary: a Load Data reads it in a sandbox without the sources.
static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples");

const FILE: &str = "/pipeline.json";

pub(super) fn list() -> Vec<Example> {
    let mut names: Vec<&str> = FILES.dirs().filter_map(|folder| folder.path().to_str()).collect();
    names.sort_unstable();
    names.into_iter().filter_map(example).collect()
}

fn example(name: &str) -> Option<Example> {
    let pipeline = pipeline(name)?;
    Some(Example {
        name: name.to_owned(),
        title: pipeline.settings.name.clone(),
        description: pipeline.settings.description.clone(),
        picture: super::pictures::picture(&pipeline),
    })
}

pub(super) fn pipeline(name: &str) -> Option<Pipeline> {
    let text = FILES.get_file(format!("{name}{FILE}"))?.contents_utf8()?;
    match model::document::read(text) {
        Ok(read) => Some(read.pipeline),
        Err(error) => {
            tracing::error!("The example {name} cannot be read: {error}");
            None
        }
    }
}

/// The data that a Load Data's `example:NAME` means.
pub fn data(name: &str) -> Option<&'static [u8]> {
    let is_meant = |file: &&File<'_>| name != "pipeline.json" && file.path().file_name().is_some_and(|own| own == name);
    FILES.entries().iter().filter_map(DirEntry::as_dir).flat_map(Dir::files).find(is_meant).map(File::contents)
}
