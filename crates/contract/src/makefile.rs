//! The names that the Makefile includes.

use crate::origin::{COMMAND, SOURCE};
use bedrock_batch_domain::contract::functions;

/// Returns the list of functions.
pub(crate) fn functions() -> String {
    let names: Vec<&str> = functions::ALL.iter().map(|function| function.value).collect();
    format!("# Written by `{COMMAND}` from {SOURCE}.\nFUNCTIONS := {}\n", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_package_under_lambdas_is_a_function_of_the_contract() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lambdas");
        let packages: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let manifest = std::fs::read_to_string(entry.path().join("Cargo.toml")).unwrap();
                let manifest: toml::Table = manifest.parse().unwrap();
                let name = manifest["package"]["name"].as_str().unwrap().to_owned();
                assert_eq!(name, entry.file_name().to_string_lossy());
                name
            })
            .collect();
        let functions: BTreeSet<String> = functions::ALL.iter().map(|function| function.value.to_owned()).collect();
        assert_eq!(functions, packages);
    }
}
