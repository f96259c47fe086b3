-- Sends the callbacks of the file BENCH_CALLBACKS, each once and then from the start again, and prints what came
-- back as one line of JSON. Thread n of m takes every m-th callback.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  threads[#threads + 1] = thread
end

function init(args)
  callbacks, at, statuses = {}, 0, {}
  local step, line = tonumber(os.getenv("BENCH_THREADS")), 0
  local file = io.open(os.getenv("BENCH_CALLBACKS"))
  while true do
    local signature, body = file:read("*l"), file:read("*l")
    if not body then break end
    if line % step == number then
      callbacks[#callbacks + 1] = wrk.format("POST", nil,
        {["Cronofy-HMAC-SHA256"] = signature, ["Content-Type"] = "application/json"}, body)
    end
    line = line + 1
  end
  file:close()
end

function request()
  at = at + 1
  return callbacks[(at - 1) % #callbacks + 1]
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local counts = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      counts[status] = (counts[status] or 0) + count
    end
  end
  local list = {}
  for status, count in pairs(counts) do
    list[#list + 1] = string.format('"%d":%d', status, count)
  end
  print(string.format('{"seconds":%f,"p50_ms":%f,"p99_ms":%f,"errors":%d,"statuses":{%s}}',
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    table.concat(list, ",")))
end
