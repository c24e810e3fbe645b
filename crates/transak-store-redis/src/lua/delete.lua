-- ARGV: clock, member
local B = KEYS[8]
local old = redis.call('GET', B)
if old then
  local version = tonumber((head(old))) or now_us
  local mark = math.max(version, tonumber(redis.call('HGET', M, 'version') or '0'))
  redis.call('HSET', M, 'version', int(mark))
  redis.call('DEL', B)
end
for _, key in ipairs({ X, Q, R, N, D, O }) do
  redis.call('ZREM', key, ARGV[2])
end
return { 'deleted', int(now_us) }
