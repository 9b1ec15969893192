//! What is the server made of?

pub mod controller;
pub mod data_folder;
pub mod gateway;
pub mod python;
pub mod runner;
pub mod settings;
pub mod store;
