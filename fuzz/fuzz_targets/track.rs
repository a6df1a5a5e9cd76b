#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cognito_import_watch_fuzz::track::fuzz(data));
