//! Which files does "create from the template" put into a Serving?
//!
//! scikit-learn and custom are run by the tests in both generations; the others say in their first lines that they
//! were not tried here.

use super::{BENTOFILE, Generation, PACK, SERVICE};
use crate::{
    kind::{File, Framework},
    value::Unknown,
};

/// `pack.py`, `service.py` and `bentofile.yaml` of one framework in one generation.
type Texts = [&'static str; 3];

macro_rules! texts {
    ($generation:literal, $framework:literal) => {
        [
            include_str!(concat!("templates/", $generation, "/", $framework, "/pack.py")),
            include_str!(concat!("templates/", $generation, "/", $framework, "/service.py")),
            include_str!(concat!("templates/", $generation, "/", $framework, "/bentofile.yaml")),
        ]
    };
}

/// The files to start from. They expect the model at `/model`, where an arrow's To Path puts it.
pub fn template(framework: Framework, generation: Generation) -> Vec<File> {
    let texts = match generation {
        Generation::Current => current(framework),
        Generation::Bento11 => bento11(framework),
    };
    [PACK, SERVICE, BENTOFILE]
        .into_iter()
        .zip(texts)
        .map(|(name, text)| File { name: name.to_owned(), text: text.to_owned(), unknown: Unknown::new() })
        .collect()
}

fn current(framework: Framework) -> Texts {
    match framework {
        Framework::Pytorch => texts!("current", "pytorch"),
        Framework::Tensorflow => texts!("current", "tensorflow"),
        Framework::ScikitLearn => texts!("current", "scikit_learn"),
        Framework::Xgboost => texts!("current", "xgboost"),
        Framework::Onnx => texts!("current", "onnx"),
        Framework::Custom => texts!("current", "custom"),
    }
}

fn bento11(framework: Framework) -> Texts {
    match framework {
        Framework::Pytorch => texts!("bento-1.1", "pytorch"),
        Framework::Tensorflow => texts!("bento-1.1", "tensorflow"),
        Framework::ScikitLearn => texts!("bento-1.1", "scikit_learn"),
        Framework::Xgboost => texts!("bento-1.1", "xgboost"),
        Framework::Onnx => texts!("bento-1.1", "onnx"),
        Framework::Custom => texts!("bento-1.1", "custom"),
    }
}
