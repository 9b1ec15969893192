//! What is a pipeline, and what is a run?
//!
//! Pure: no async, clock, randomness, file system or network. The browser and the server run the same code,
//! so that every sentence about a problem shows while one types.

pub mod copies;
pub mod document;
pub mod fields;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fuzz;
mod gather;
#[cfg(any(test, feature = "proptest"))]
pub mod generate;
pub mod id;
pub mod inherit;
pub mod kind;
pub mod launch;
pub mod mounts;
pub mod order;
pub mod part;
pub mod path;
pub mod pipeline;
pub mod pod;
pub mod problem;
pub mod quantity;
pub mod run;
pub mod run_as;
pub mod serving;
pub mod site;
pub mod substitute;
pub mod supervise;
pub mod validate;
pub mod value;

pub use gather::Gather;
pub use id::{ArrowId, ExecutionId, GroupId, NoteId, PipelineId, RunId, TaskId};
pub use kind::{Kind, KindName};
pub use pipeline::{Acl, Arrow, Group, Note, Parameter, ParameterType, Pipeline, Place, Settings, Task};
pub use problem::{At, Fix, Problem, Severity};
pub use quantity::{Cpu, Memory, Seconds};
pub use run_as::{IdRange, RunAs};
pub use site::Site;
pub use value::{EnvValue, Inherit, Unknown};
