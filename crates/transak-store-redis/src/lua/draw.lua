-- KEYS 1: the tenant's bucket. ARGV: clock, rate per second, wanted.
local now
if ARGV[1] == '' then
  local time = redis.call('TIME')
  now = math.floor((time[1] * 1000000 + time[2]) / 1000)
else
  now = tonumber(ARGV[1])
end
local rate, wanted = math.max(tonumber(ARGV[2]), 1e-300), tonumber(ARGV[3])
local most = math.max(rate, 1)
local there = redis.call('HMGET', KEYS[1], 'permits', 'filled_at')
local held, filled_at = tonumber(there[1] or most), tonumber(there[2] or now)
held = math.max(math.min(held + math.max(now - filled_at, 0) / 1000 * rate, most), 0)
-- A clock that was set back is believed; a little less is a server that has taken over.
if now > filled_at or filled_at - now > 2000 then
  filled_at = now
end
local permits = math.min(math.floor(held), wanted)
held = held - permits
redis.call('HSET', KEYS[1], 'permits', string.format('%.17g', held), 'filled_at', string.format('%.0f', filled_at))
-- When it has been full for long, nobody needs to know.
redis.call('PEXPIRE', KEYS[1], 3600000)
local next_in = math.min(math.ceil(math.max(1 - held, 0) / rate * 1000), 9007199254740992)
return { string.format('%.0f', permits), string.format('%.0f', next_in) }
