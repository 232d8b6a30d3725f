//! Version order, ecosystem by ecosystem.
