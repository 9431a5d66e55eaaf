//! What the call machine decides, told as histories in virtual time.

mod a_call_survives_the_server_and_the_network;
mod a_ring_ends_everywhere;
mod a_screen_is_shared_where_the_engine_can;
mod camera_and_microphone_follow_the_person;
mod driver;
mod late_answers_are_undone;
mod random_histories_keep_the_rules;
mod tokens_are_fresh_and_renewed;
