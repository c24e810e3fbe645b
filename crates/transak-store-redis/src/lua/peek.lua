-- ARGV: clock, lane, limit, retention, how many to sweep. Answers the most urgent and their order.
local limit = tonumber(ARGV[3])
bury(now - tonumber(ARGV[4]) - 48 * HOUR)
local more = sweep(tonumber(ARGV[5]))
local soon, later = now + 24 * HOUR, now + 72 * HOUR
local found = {}
if ARGV[2] == 'critical' then
  found = redis.call('ZRANGEBYSCORE', R, '-inf', '(' .. int(soon), 'WITHSCORES', 'LIMIT', 0, limit)
elseif ARGV[2] == 'urgent' then
  found = redis.call('ZRANGEBYSCORE', R, int(soon), '(' .. int(later), 'WITHSCORES', 'LIMIT', 0, limit)
else
  -- Some have become urgent since they were put here: they are taken out when they are met, once each.
  -- A few more than are asked for at first: most often nothing is taken out.
  local at, passed, chunk = 0, 0, math.min(limit + 8, 500)
  while #found < 2 * limit and passed < 5000 do
    local part = redis.call('ZRANGE', N, at, at + chunk - 1, 'WITHSCORES')
    if #part == 0 then
      break
    end
    local members = {}
    for i = 1, #part, 2 do
      members[#members + 1] = part[i]
    end
    local expiries = redis.call('ZMSCORE', R, unpack(members))
    local stale = {}
    for i, member in ipairs(members) do
      if not expiries[i] or tonumber(expiries[i]) < later then
        stale[#stale + 1] = member
      elseif #found < 2 * limit then
        found[#found + 1] = member
        found[#found + 1] = part[2 * i]
      end
    end
    if #stale > 0 then
      redis.call('ZREM', N, unpack(stale))
    end
    passed = passed + #stale
    at = at + #members - #stale
    chunk = math.min(chunk * 2, 500)
  end
  more = more or passed >= 5000
end
return { more and 'more' or 'all', int(now_us), found }
