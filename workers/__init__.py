"""The arq worker: writes every part of a booking into its calendars."""
