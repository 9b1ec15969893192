//! Which examples come along?

use app::api::pipelines::Example;
use model::Pipeline;
use rust_embed::RustEmbed;

/// The folder `examples/` of the sources, inside the binary: pipelines and the data that they load.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../examples/"]
#[allow_missing = true]
struct Files;

const FILE: &str = "/pipeline.json";

pub(super) fn list() -> Vec<Example> {
    let mut names: Vec<String> = Files::iter().filter_map(|path| path.strip_suffix(FILE).map(str::to_owned)).collect();
    names.sort();
    names.into_iter().filter_map(|name| example(&name)).collect()
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
    let file = Files::get(&format!("{name}{FILE}"))?;
    let text = std::str::from_utf8(&file.data).ok()?;
    match model::document::read(text) {
        Ok(read) => Some(read.pipeline),
        Err(error) => {
            tracing::error!("The example {name} cannot be read: {error}");
            None
        }
    }
}

/// The data that a Load Data's `example:NAME` means.
pub fn data(name: &str) -> Option<std::borrow::Cow<'static, [u8]>> {
    let is_plain = !name.contains('/') && name != "pipeline.json";
    let path = Files::iter().find(|path| is_plain && path.rsplit_once('/').is_some_and(|(_, file)| file == name))?;
    Files::get(&path).map(|file| file.data)
}
