#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bedrock_batch_fuzz::jsonl(bytes));
