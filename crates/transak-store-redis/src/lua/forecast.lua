-- ARGV: clock, retention, how many to sweep, the horizons from now in milliseconds
local dead = now - tonumber(ARGV[2]) - 48 * HOUR
bury(dead)
local more = sweep(tonumber(ARGV[3]))
local answer = {
  redis.call('ZCOUNT', X, int(dead), '+inf'),
  redis.call('ZCARD', R) + redis.call('ZCOUNT', Q, '-inf', now) + redis.call('ZCOUNT', D, '-inf', now),
}
for i = 4, #ARGV do
  local to = now + tonumber(ARGV[i])
  answer[#answer + 1] = redis.call('ZCOUNT', X, int(dead), to < LAST and int(to) or '+inf')
end
return { more and 'more' or 'all', int(now_us), answer }
