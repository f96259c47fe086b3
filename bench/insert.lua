-- Inserts events into the sandbox's Google calendar, as large as a worker's; BENCH_TOKEN is an access token.

wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{"status": "confirmed", "summary": "Pre screen",
  "start": {"dateTime": "2026-04-30T12:00:00+01:00", "timeZone": "Europe/London", "date": null},
  "end": {"dateTime": "2026-04-30T13:00:00+01:00", "timeZone": "Europe/London", "date": null},
  "extendedProperties": {"private": {"sequenceSyncKey": "e5ateusaagi7su50289hmkhhr40pspi7",
    "sequenceSyncRevision": "1795292003804", "sequenceSyncDigest": "363eb96c7e3626b3"}}}]]

function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"seconds":%f,"inserts":%d,"failed":%d}', summary.duration / 1e6, summary.requests,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
