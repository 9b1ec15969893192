//! What runs beside every task?
//!
//! A small program without async. On a machine it supervises one execution and outlives the server; inside a task it
//! is the first process, opens shells, and stands in for a program where a task has none; in a pod it makes the folders
//! and is the first process.

mod beneath;
mod exec;
mod init;
mod pod;
mod privileges;
mod sandbox;
mod supervise;
mod sys;
mod template;

use std::{env, process::ExitCode};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

const USAGE: &str = "usage: fletchline-task template [bound] | exec … | init | stay | check | pod prepare | pod run PROGRAM … | pod links | pod claim USER:GROUP | pod remove INSTALLATION FOLDER …";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["template"] => template::template(),
        ["template", "bound"] => {
            privileges::bound();
            template::template()
        }
        ["pod", "prepare"] => pod::prepare::prepare(),
        ["pod", "links"] => pod::links::links(),
        ["pod", "take", sha256, length] => pod::uploads::take(sha256, length),
        ["pod", "progress"] => pod::progress::progress(),
        ["pod", "claim", owner] => pod::claim(owner),
        ["pod", "remove", installation, folders @ ..] => pod::remove(installation, folders),
        ["pod", "run", program @ ..] => pod::run::run(program),
        ["init"] => init::inside_bubblewrap(),
        ["stay"] => init::stay(),
        ["check", way @ ..] => sandbox::check(way),
        ["exec", rest @ ..] => exec::exec(rest),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
