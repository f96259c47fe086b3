"""Finding times for a sequence of meetings over the calendars that we hold credentials for."""
