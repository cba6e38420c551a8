//! The steps of a run, as the state machine's `Route` compares them.

use crate::run::StepName;

/// All steps.
pub const ALL: [StepName; 5] =
    [StepName::ProcessJobs, StepName::RetryJobs, StepName::AnswerOnDemand, StepName::JoinChunks, StepName::Finish];

/// The Rust name, the name in JSON and the documentation of a step.
pub const fn entry(step: StepName) -> super::Entry {
    let (constant, value, doc) = match step {
        StepName::ProcessJobs => {
            ("PROCESS_JOBS", "process_jobs", "The first pass of the batch lane: Bedrock jobs and their answered files.")
        }
        StepName::RetryJobs => ("RETRY_JOBS", "retry_jobs", "A later pass of the batch lane: Bedrock jobs alone."),
        StepName::AnswerOnDemand => ("ANSWER_ON_DEMAND", "answer_on_demand", "A pass of the on-demand lane."),
        StepName::JoinChunks => {
            ("JOIN_CHUNKS", "join_chunks", "The answered files of the chunks whose rows a pass had.")
        }
        StepName::Finish => ("FINISH", "finish", "Nothing is left to invoke."),
    };
    super::Entry { constant, value, doc }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::value::Error;
    use serde::{Deserialize, Deserializer, de, forward_to_deserialize_any};

    /// A deserializer that keeps nothing but the variants that an enum says it has.
    struct Variants<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Variants<'_> {
        type Error = Error;

        fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(de::Error::custom("not an enum"))
        }

        fn deserialize_enum<V: de::Visitor<'de>>(
            self,
            _: &'static str,
            variants: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            *self.0 = variants;
            Err(de::Error::custom("only its variants are read"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct identifier ignored_any
        }
    }

    #[test]
    fn the_contract_has_every_step_under_its_name_in_json() {
        let mut variants: &[&str] = &[];
        assert!(StepName::deserialize(Variants(&mut variants)).is_err());
        assert_eq!(ALL.map(|step| entry(step).value).as_slice(), variants);
        for step in ALL {
            assert_eq!(serde_json::to_value(step).unwrap(), entry(step).value);
        }
    }
}
