//! How does a Viewer in a pod get its links while it reads the folder?

use std::{collections::BTreeMap, fs, io, os::unix::fs::symlink, path::Path, process::ExitCode};

use model::pod::LINKS_AT;

/// `pod links`: on stdin, as JSON, where each name leads. Others are removed; one that stays is never missing.
pub fn links() -> ExitCode {
    let done = io::read_to_string(io::stdin())
        .and_then(|text| Ok(serde_json::from_str(&text)?))
        .and_then(|wanted| set(Path::new(LINKS_AT), &wanted));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn set(folder: &Path, wanted: &BTreeMap<String, String>) -> io::Result<()> {
    let partial = folder.join(".partial");
    for (name, target) in wanted {
        let place = folder.join(name);
        if fs::read_link(&place).is_ok_and(|is| is == Path::new(target)) {
            continue;
        }
        if let Err(error) = fs::remove_file(&partial)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        symlink(target, &partial)?;
        fs::rename(&partial, place)?;
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(|name| wanted.contains_key(name)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_holds_exactly_the_links_that_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let all = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        set(folder.path(), &all(&[("one", "../results/a/1"), ("two", "../results/b/2")])).unwrap();
        set(folder.path(), &all(&[("two", "../results/b/3")])).unwrap();
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["two"]);
        assert_eq!(fs::read_link(folder.path().join("two")).unwrap(), Path::new("../results/b/3"));
    }
}
