//! Grammar of the names of a dataset. They come from users and from the server's own JSON, and become parts of addresses, so
//! none of them can leave its place: no `..`, no separators, no control characters.

/// Maximum number of characters of an owner or of a dataset's name.
const MAX_ID_PART_CHARS: usize = 96;
/// Maximum number of characters of a configuration, a split or a revision.
const MAX_NAME_CHARS: usize = 200;

/// Rule that an invalid dataset id breaks.
pub(super) const ID_RULE: &str =
    "is not a valid dataset id: must be `owner/name`, of letters, digits, `-`, `_` and `.`";
/// Rule that an invalid name of a configuration breaks.
pub(super) const CONFIG_RULE: &str = "is not a valid configuration: must not contain any of `<>:/\\|?*\"`";
/// Rule that an invalid name of a split breaks.
pub(super) const SPLIT_RULE: &str = "is not a valid split: may contain only letters, digits, `_` and `.`";
/// Rule that an invalid revision breaks.
pub(super) const REVISION_RULE: &str = "is not a valid revision: must be the name of a branch or tag, or a commit";

/// Returns true for `owner/name`, and for the ids without an owner that old datasets have.
pub(super) fn is_dataset_id(id: &str) -> bool {
    let mut parts = id.split('/');
    let first = parts.next().is_some_and(is_id_part);
    first && parts.next().is_none_or(is_id_part) && parts.next().is_none() && id.strip_suffix(".git").is_none()
}

fn is_id_part(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_edge = |byte: &u8| b"-.".contains(byte);
    let bytes = part.as_bytes();
    (1..=MAX_ID_PART_CHARS).contains(&bytes.len())
        && bytes.iter().copied().all(allowed)
        && !bytes.first().is_some_and(is_edge)
        && !bytes.last().is_some_and(is_edge)
        && !part.contains("--")
        && !part.contains("..")
}

/// Returns true for the name of a configuration, which is also the name of a folder.
pub(super) fn is_config(name: &str) -> bool {
    is_short_and_visible(name)
        && name.trim() == name
        && !matches!(name, "." | "..")
        && !name.contains(['<', '>', ':', '/', '\\', '|', '?', '*', '"'])
}

/// Returns true for the name of a split.
pub(super) fn is_split(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_short_and_visible(name) && name.split('.').all(is_word)
}

/// Returns true for a revision: the rules of Git for the names of references.
pub(super) fn is_revision(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none();
    is_short_and_visible(name)
        && !name.contains([' ', '~', '^', ':', '?', '*', '[', '\\'])
        && !name.contains("..")
        && !name.contains("@{")
        && !name.starts_with('-')
        && !name.ends_with('.')
        && name.split('/').all(is_part)
}

/// Returns true for the path of a file below the root of a dataset.
pub(super) fn is_file_path(path: &str) -> bool {
    const MAX_PATH_CHARS: usize = 1024;
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    path.chars().count() <= MAX_PATH_CHARS
        && !path.contains(|c: char| c.is_control() || c == '\\')
        && path.split('/').all(is_part)
}

fn is_short_and_visible(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("w601sxs/simpleCoT", true)]
    #[case("imdb", true)]
    #[case("a_b/c.d-e", true)]
    #[case("", false)]
    #[case("a/", false)]
    #[case("/a", false)]
    #[case("a/b/c", false)]
    #[case("../etc", false)]
    #[case("a/..", false)]
    #[case("a/b--c", false)]
    #[case("a/b.git", false)]
    #[case("-a/b", false)]
    #[case("a/b c", false)]
    #[case("a/b?x=1", false)]
    #[case("https://huggingface.co/datasets/a/b", false)]
    fn dataset_ids_are_an_owner_and_a_name(#[case] id: &str, #[case] expected: bool) {
        assert_eq!(is_dataset_id(id), expected);
    }

    #[rstest]
    #[case("default", true)]
    #[case("20231101.en", true)]
    #[case("Zeichen ü", true)]
    #[case("..", false)]
    #[case("a/b", false)]
    #[case(" a", false)]
    #[case("a\nb", false)]
    fn configurations_are_names_of_folders(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_config(name), expected);
    }

    #[rstest]
    #[case("train", true)]
    #[case("test.v2", true)]
    #[case("train[:100]", false)]
    #[case("partial-train", false)]
    #[case("a..b", false)]
    #[case("", false)]
    fn splits_are_words(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_split(name), expected);
    }

    #[rstest]
    #[case("main", true)]
    #[case("refs/pr/7", true)]
    #[case("0123456789012345678901234567890123456789", true)]
    #[case("v1.0", true)]
    #[case("../main", false)]
    #[case("a//b", false)]
    #[case("a b", false)]
    #[case("main^", false)]
    #[case("a.lock", false)]
    fn revisions_are_names_of_references(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_revision(name), expected);
    }

    proptest! {
        #[test]
        fn no_accepted_name_leaves_its_place(name in r"[a-z./\\ \x00-\x1f%:-]{0,12}") {
            let leaves = |name: &str| name.split(['/', '\\']).any(|part| part == "..") || name.starts_with('/');
            for accepts in [is_dataset_id, is_config, is_split, is_revision, is_file_path] {
                prop_assert!(!accepts(&name) || !leaves(&name) && !name.contains(char::is_control), "{name:?}");
            }
        }
    }
}
