-- Moves what has become ready from the waiting set to the ready ones; true if there may be more.
local function sweep(most)
  local found = redis.call('ZRANGEBYSCORE', Q, '-inf', now, 'WITHSCORES', 'LIMIT', 0, most)
  if #found == 0 then
    return false
  end
  local members, wakes = {}, {}
  for i = 1, #found, 2 do
    members[#members + 1] = found[i]
    wakes[#wakes + 1] = found[i + 1]
  end
  local expiries = redis.call('ZMSCORE', X, unpack(members))
  local leased = redis.call('ZMSCORE', D, unpack(members))
  local ready, normal = {}, {}
  for i, member in ipairs(members) do
    local expires = expiries[i]
    if expires then
      ready[#ready + 1] = expires
      ready[#ready + 1] = member
      if tonumber(expires) >= now + 72 * HOUR then
        normal[#normal + 1] = leased[i] or wakes[i]
        normal[#normal + 1] = member
      end
    end
  end
  redis.call('ZREM', Q, unpack(members))
  redis.call('ZREM', D, unpack(members))
  if #ready > 0 then
    redis.call('ZADD', R, unpack(ready))
  end
  if #normal > 0 then
    redis.call('ZADD', N, unpack(normal))
  end
  return #members == most
end

-- Clears away a few index entries of records whose time to live is over.
local function bury(before)
  for _, set in ipairs({ X, O }) do
    local gone = redis.call('ZRANGEBYSCORE', set, '-inf', '(' .. int(before), 'LIMIT', 0, 200)
    if #gone > 0 then
      for _, key in ipairs({ X, Q, R, N, D, O }) do
        redis.call('ZREM', key, unpack(gone))
      end
    end
  end
end
