-- ARGV: clock, member, epoch, span
local L = KEYS[9]
local lease = lease_of(L)
if not is_live(lease) or lease.epoch ~= ARGV[3] then
  return { 'over', int(now_us) }
end
local untill = math.min(now + tonumber(ARGV[4]), LAST)
put_lease(L, lease.epoch, lease.taken, untill)
local wake = redis.call('ZSCORE', D, ARGV[2])
if wake then
  redis.call('ZADD', Q, math.max(tonumber(wake), untill), ARGV[2])
end
return { 'extended', int(now_us) }
