//! How does a Viewer's folder of links get new ones while it is being read?

use std::{collections::BTreeMap, fs, io, path::Path};

use engine::action::Link;

/// As the viewer sees its results: `/fletchline/links/<name>` leads to `/fletchline/results/<task>/<n>/…`.
const RESULTS: &str = "../results";

/// Makes the folder hold exactly these. Each link appears whole, and one that stays is never missing.
///
/// # Errors
/// The disk.
pub fn set(folder: &Path, links: &[Link]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let wanted = wanted(links);
    for (name, target) in &wanted {
        let place = folder.join(name);
        if fs::read_link(&place).is_ok_and(|is| is == Path::new(target)) {
            continue;
        }
        // Beside the folder: nobody who reads it sees half a link.
        let partial = folder.with_extension("partial");
        if let Err(error) = fs::remove_file(&partial)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        std::os::unix::fs::symlink(target, &partial)?;
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

/// Names that a folder can hold, each once, and where they lead.
pub fn wanted(links: &[Link]) -> BTreeMap<String, String> {
    let mut wanted = BTreeMap::new();
    for link in links {
        let plain: String = link.name.chars().map(|c| if c == '/' || c.is_control() { '-' } else { c }).collect();
        let plain = match plain.trim() {
            "" | "." | ".." => "run".to_owned(),
            name => name.chars().take(80).collect(),
        };
        let name = (1..)
            .map(|count| if count == 1 { plain.clone() } else { format!("{plain} ({count})") })
            .find(|name| !wanted.contains_key(name))
            .unwrap_or(plain.clone());
        // pipeline/<pipeline>/… : the viewer has its pipeline's folder alone.
        let below = link.folder.splitn(3, '/').nth(2).unwrap_or_default();
        wanted.insert(name, format!("{RESULTS}/{below}"));
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(name: &str, folder: &str) -> Link {
        Link { name: name.into(), folder: folder.into() }
    }

    fn listed(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
        entries.map(|entry| (text(entry.file_name().into()), text(fs::read_link(entry.path()).unwrap()))).collect()
    }

    #[test]
    fn the_folder_holds_exactly_the_links_that_were_asked_for() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("links");
        set(&folder, &[link("run 1 · Train", "pipeline/p/train/1/out"), link("a/b", "pipeline/p/t/2/x")]).unwrap();
        assert_eq!(listed(&folder)["run 1 · Train"], "../results/train/1/out");
        assert_eq!(listed(&folder)["a-b"], "../results/t/2/x");
        set(&folder, &[link("run 1 · Train", "pipeline/p/train/4/out")]).unwrap();
        assert_eq!(listed(&folder), [("run 1 · Train".to_owned(), "../results/train/4/out".to_owned())].into());
    }

    #[test]
    fn two_links_of_one_name_are_both_there() {
        let both = wanted(&[link("x", "pipeline/p/a/1"), link("x", "pipeline/p/a/2")]);
        assert_eq!(both.keys().collect::<Vec<_>>(), ["x", "x (2)"]);
    }
}
