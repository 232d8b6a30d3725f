//! Events as streams: whole and in order whoever follows from wherever, bounded, and ended in words.

mod bound;
mod cursor;
mod first_signal;
mod order;
mod reader;
mod slow;
mod timed;
