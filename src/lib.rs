//! ScheduleZAP: a Telegram bot that runs several WhatsApp numbers and schedules WhatsApp messages.
//! The modules in reading order; each may use only those above it.

pub mod domain;
pub mod when;

pub mod evolution;
pub mod storage;

pub mod services;

pub mod http;
pub mod locale;
pub mod scheduler;
pub mod telegram;

pub mod app;
pub mod config;
pub mod explain;
pub mod restore;
pub mod telemetry;

pub mod sandbox;
