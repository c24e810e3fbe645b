-- ARGV: clock, member, epoch
local L = KEYS[9]
local lease = lease_of(L)
if is_live(lease) and lease.epoch == ARGV[3] then
  redis.call('DEL', L)
  local wake = redis.call('ZSCORE', D, ARGV[2])
  if wake then
    redis.call('ZREM', D, ARGV[2])
    redis.call('ZADD', Q, wake, ARGV[2])
  end
end
return { 'released', int(now_us) }
