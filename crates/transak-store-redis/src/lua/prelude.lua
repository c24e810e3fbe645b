-- What all scripts share. KEYS 1 to 7 are the shard's own keys; ARGV 1 is a test's clock in milliseconds, or empty.
local M, X, Q, R, N, D, O = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local HOUR = 3600000
local LAST = 9007199254740992
local now_us
if ARGV[1] == '' then
  local time = redis.call('TIME')
  now_us = time[1] * 1000000 + time[2]
else
  now_us = ARGV[1] * 1000
end
local now = math.floor(now_us / 1000)

-- Lua's own conversion keeps 14 digits only.
local function int(number)
  return string.format('%.0f', number)
end

-- Version, whether it is kept alive, expiry and wake time of a stored record.
local function head(blob)
  local version, alive, expires, wake = string.match(blob, '^1 (%d+) ([01]) (-?%d+) (-?%d+) %d+\n')
  return version, alive == '1', tonumber(expires), tonumber(wake)
end

local function lease_of(key)
  local text = redis.call('GET', key)
  if not text then
    return nil
  end
  local epoch, taken, untill = string.match(text, '^(%d+) (-?%d+) (-?%d+)$')
  return { epoch = epoch, taken = tonumber(taken), untill = tonumber(untill) }
end

local function is_live(lease)
  return lease and now < lease.untill
end

-- A lapsed lease is remembered for a while, so that the next claim learns of it.
local function put_lease(key, epoch, taken, untill)
  local text = epoch .. ' ' .. int(taken) .. ' ' .. int(untill)
  local ttl = untill - now + 90 * 24 * HOUR
  if ttl < 1e14 then
    redis.call('SET', key, text, 'PX', int(ttl))
  else
    redis.call('SET', key, text)
  end
end

-- The first of `count` fresh epochs: the time, or one more than the last.
local function epochs(count)
  local first = math.max(now_us, (tonumber(redis.call('HGET', M, 'epoch') or '0')) + 1)
  redis.call('HSET', M, 'epoch', int(first + count - 1))
  return first
end

-- Puts a record where it belongs in the index.
local function place(member, alive, expires, wake, lease)
  redis.call('ZREM', R, member)
  redis.call('ZREM', N, member)
  if not alive then
    redis.call('ZREM', X, member)
    redis.call('ZREM', Q, member)
    redis.call('ZREM', D, member)
    redis.call('ZADD', O, expires, member)
    return
  end
  redis.call('ZREM', O, member)
  redis.call('ZADD', X, expires, member)
  if is_live(lease) then
    redis.call('ZADD', Q, math.max(wake, lease.untill), member)
    redis.call('ZADD', D, wake, member)
  else
    redis.call('ZADD', Q, wake, member)
    redis.call('ZREM', D, member)
  end
end
