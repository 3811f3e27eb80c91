//! What no emulator shows, as scripted answers.
