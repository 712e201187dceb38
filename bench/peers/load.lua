-- Requests for wrk: made beforehand, each with another x-user-id, so that nobody profits from equal requests.
local requests = {}
local at = 0

function init(arguments)
    local path, body, count = arguments[1], arguments[2], tonumber(arguments[3])
    for number = 1, 10000 do
        local headers = {["Content-Type"] = "application/json", ["x-user-id"] = string.format("user-%06d", number)}
        requests[number] = wrk.format("POST", path:gsub("#", number % count), headers, body)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary)
    local errors = summary.errors
    local broken = errors.connect + errors.read + errors.write + errors.timeout
    io.write(string.format('\n{"requests":%d,"bad_status":%d,"broken":%d}\n', summary.requests, errors.status, broken))
end
