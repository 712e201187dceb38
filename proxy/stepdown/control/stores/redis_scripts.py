"""What happens in Redis in one piece: scripts, each of which runs alone and whole, or not at all.

WATCH and MULTI would do the same in three journeys, and fail ever more often the more replicas add evidence. The first
line of each (Redis 7) lets Redis refuse it beforehand where memory is short, instead of in the middle.

Sums stay below 2^53, which is where the doubles that Lua counts with end.
"""

from __future__ import annotations

ACQUIRE = """#!lua
-- KEYS lease, fence, holder; ARGV holder, ttl in ms. A token, or nothing.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return false end
-- Not only the next number: a Redis that lost its data must not give out a token that somebody holds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local token = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, now)
redis.call('SET', KEYS[2], string.format('%.0f', token))
redis.call('SET', KEYS[3], ARGV[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return string.format('%.0f', token)
"""

RENEW = """#!lua
-- KEYS lease, fence, holder; ARGV token, ttl in ms.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], redis.call('GET', KEYS[3]), 'PX', ARGV[2])
return 1
"""

RELEASE = """#!lua
-- KEYS lease, fence, holder; ARGV token. The fence moves on, so that the token is worth nothing any more.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('INCR', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[3])
return 1
"""

WRITE = """#!lua
-- KEYS fence, states, documents, history; ARGV token, rollout, expected version, document, channel, transitions...
local fence = redis.call('GET', KEYS[1]) or '0'
if fence ~= ARGV[1] then return {'fenced', fence} end
local version = redis.call('HGET', KEYS[2], ARGV[2]) or '0'
if version ~= ARGV[3] then return {'conflict', version} end
version = redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
for place = 6, #ARGV do redis.call('RPUSH', KEYS[4], ARGV[place]) end
redis.call('PUBLISH', ARGV[5], ARGV[2])
return {'written', tostring(version)}
"""

READ = """#!lua flags=no-writes
-- KEYS states, documents; ARGV rollout. Version and document of the same moment.
return {redis.call('HGET', KEYS[1], ARGV[1]), redis.call('HGET', KEYS[2], ARGV[1])}
"""

ADD = """#!lua
-- KEYS forgotten, sources, counts, names of sets, then a set for each group of sightings;
-- ARGV run, source, sequence, retention in ms, number of deltas, then field and amount of each delta,
-- then field and packed units (8 bytes each) of each group.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return {'forgotten', 0} end
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0')
if tonumber(ARGV[3]) <= last then return {'repeated', 0} end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
local place = 6
for _ = 1, ARGV[5] do
  redis.call('HINCRBY', KEYS[3], ARGV[place], ARGV[place + 1])
  place = place + 2
end
local new = 0
for key = 5, #KEYS do
  local packed, first = ARGV[place + 1], 0
  for begin = 1, #packed, 8000 do
    local units = {}
    for at = begin, math.min(begin + 7999, #packed), 8 do units[#units + 1] = string.sub(packed, at, at + 7) end
    first = first + redis.call('SADD', KEYS[key], unpack(units))
  end
  redis.call('PEXPIRE', KEYS[key], ARGV[4])
  redis.call('SADD', KEYS[4], KEYS[key])
  if first > 0 then redis.call('HINCRBY', KEYS[3], ARGV[place], first) end
  new = new + first
  place = place + 2
end
return {'counted', new}
"""

FORGET = """#!lua
-- KEYS forgotten, sources, counts, names of sets; ARGV run. Memory is given back by a thread of Redis' own.
redis.call('SADD', KEYS[1], ARGV[1])
for _, key in ipairs(redis.call('SMEMBERS', KEYS[4])) do redis.call('UNLINK', key) end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
return 1
"""
