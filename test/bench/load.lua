-- wrk's side of load.ts. Sends COUNT requests from the lines of FILE (path, space, token, cookie or "-"), over and over, and
-- no more. A connection that has its answer asks for a delay before its next request; one that gets no further request
-- waits until wrk ends. When all of them wait, every answer is in, and it says so. Nothing is cut off, so wrk, the worker and
-- the backend have counted the same requests.
--   wrk -t1 -cCONNECTIONS -s load.lua URL -- FILE COUNT CONNECTIONS HOST

local lines, count, connections, host = {}, 0, 0, ""
local granted, idle = 0, 0 -- requests that connections may send, and connections that wait
local given = -1 -- wrk asks for one request that it does not send
local longest = 3600 * 1000 -- ms

local function format(path, token)
  local credential = ""
  if token:sub(1, 7) == "__Host-" then
    credential = "Cookie: " .. token .. "\r\n"
  elseif token:sub(1, 5) == "DPoP~" then
    local bound, proof = token:match("^DPoP~([^~]+)~(.+)$")
    credential = "Authorization: DPoP " .. bound .. "\r\nDPoP: " .. proof .. "\r\n"
  elseif token ~= "-" then
    credential = "Authorization: Bearer " .. token .. "\r\n"
  end
  return "GET " .. path .. " HTTP/1.1\r\nHost: " .. host .. "\r\nUser-Agent: bench\r\nAccept: */*\r\n" .. credential .. "\r\n"
end

function init(args)
  count, connections, host = tonumber(args[2]), tonumber(args[3]), args[4]
  for line in io.lines(args[1]) do
    local path, token = line:match("^(%S+) (%S+)$")
    lines[#lines + 1] = format(path, token)
    if #lines == count then break end
  end
end

function delay()
  if granted < count then
    granted = granted + 1
    return 0
  end
  idle = idle + 1
  if idle == connections then
    io.write("idle\n")
    io.flush()
  end
  return longest
end

function request()
  given = given + 1
  return lines[(math.max(given, 1) - 1) % #lines + 1]
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"refused":%d,"broken":%d}\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
