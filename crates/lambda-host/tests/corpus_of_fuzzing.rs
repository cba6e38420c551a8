//! The properties of the fuzz targets, for the inputs of `fuzz/corpus` and for some of their mutations: whatever fuzzing once found
//! stays found. Here, since this crate reads the events, and everything else is below it.
//!
//! `FUZZ_MUTATIONS=100000` tries more of them, without the guidance and the speed of `make fuzz`.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]

#[allow(clippy::panic, dead_code, unreachable_pub, reason = "a property that does not hold fails the test")]
#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

use rstest::rstest;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// Mutations of each target, unless `FUZZ_MUTATIONS` is set.
const MUTATIONS: usize = 300;

fn corpus() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus")).to_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[rstest]
#[case::answer("answer", fuzz::answer)]
#[case::csv("csv", fuzz::csv)]
#[case::event("event", fuzz::event)]
#[case::image("image", fuzz::image)]
#[case::jsonl("jsonl", fuzz::jsonl)]
#[case::jsonpath("jsonpath", fuzz::jsonpath)]
#[case::parquet("parquet", fuzz::parquet)]
#[case::pipeline("pipeline", fuzz::pipeline)]
#[case::request("request", fuzz::request)]
#[case::template("template", fuzz::template)]
#[case::text("text", fuzz::text)]
#[case::token("token", fuzz::token)]
fn the_property_of_a_fuzz_target_holds_for_its_corpus_and_mutations(#[case] target: &str, #[case] property: fn(&[u8])) {
    let folder = corpus().join(target);
    let inputs: Vec<Vec<u8>> = names(&folder).iter().map(|name| std::fs::read(folder.join(name)).unwrap()).collect();
    for (name, input) in names(&folder).iter().zip(&inputs) {
        assert!(catch_unwind(|| property(input)).is_ok(), "fuzz/corpus/{target}/{name}");
    }
    let mutations = std::env::var("FUZZ_MUTATIONS").map_or(MUTATIONS, |text| text.parse().unwrap());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..mutations {
        let input = random.mutated(&inputs);
        let bytes = || String::from_utf8_lossy(&input).into_owned();
        assert!(catch_unwind(|| property(&input)).is_ok(), "{target}: {input:?}, as text: {:?}", bytes());
    }
}

#[test]
fn each_fuzz_target_has_a_corpus_and_a_test_here() {
    let source = include_str!("corpus_of_fuzzing.rs");
    let targets = names(&corpus().join("../fuzz_targets"));
    let targets: Vec<&str> = targets.iter().filter_map(|name| name.strip_suffix(".rs")).collect();
    assert_eq!(names(&corpus()), targets);
    for target in targets {
        assert!(source.contains(&format!("#[case::{target}(\"{target}\", fuzz::{target})]")), "{target}");
    }
}

/// Generator of random numbers (xorshift), the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// Returns one of the inputs with a few bytes changed, removed, inserted or copied, also from others.
    fn mutated(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        const SYNTAX: &[u8] = b"{}[]\"',:.$*@?()\\\n\r\0\xff\x80=<>`-0129eE ";
        let mut bytes = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(6) {
            let (at, other) = (self.below(bytes.len() + 1), self.below(inputs.len()));
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = SYNTAX[self.below(SYNTAX.len())],
                2 if at < bytes.len() => drop(bytes.drain(at..(at + 1 + self.below(8)).min(bytes.len()))),
                3 => bytes.insert(at, SYNTAX[self.below(SYNTAX.len())]),
                4 => {
                    let (from, length) = (self.below(inputs[other].len() + 1), self.below(40));
                    let part: Vec<u8> = inputs[other].iter().skip(from).take(length).copied().collect();
                    bytes.splice(at..at, part);
                }
                _ => bytes.truncate(at.max(bytes.len() / 2)),
            }
        }
        bytes.truncate(8192);
        bytes
    }
}
