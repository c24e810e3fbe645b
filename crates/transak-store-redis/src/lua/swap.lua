-- ARGV: clock, member, expected version or '', new version, epoch to end or '', alive, expiry, wake, retention, record
local B, L = KEYS[8], KEYS[9]
local member, expected, blob = ARGV[2], ARGV[3], ARGV[10]
local old = redis.call('GET', B)
local there = old and head(old) or ''
-- What cannot be read is shown to the caller, who can say what is wrong with it.
if (old and there == '') or there ~= expected then
  return { 'conflict', int(now_us), old }
end
local base
if old then
  base = tonumber(there)
else
  base = tonumber(redis.call('HGET', M, 'version') or '')
  if not base then
    -- A new shard, or one that was flushed: no version from before may come back.
    redis.call('HSET', M, 'version', int(now_us))
    return { 'new', int(now_us), int(now_us) }
  end
end
-- The writer seals the record for a version that it has chosen: by the store's time, as far as it knows it.
local version = tonumber(ARGV[4])
local late = version > now_us
local early = not old and version < now_us - 60000000
if version <= base or ((late or early) and version ~= base + 1) then
  return { 'again', int(now_us), int(base) }
end
local lease = lease_of(L)
if ARGV[5] ~= '' and is_live(lease) and lease.epoch == ARGV[5] then
  redis.call('DEL', L)
  lease = nil
end
local expires, wake = tonumber(ARGV[7]), tonumber(ARGV[8])
local ttl = math.max(expires + tonumber(ARGV[9]) - now, 24 * HOUR)
if ttl < 1e14 then
  redis.call('SET', B, blob, 'PX', int(ttl))
else
  redis.call('SET', B, blob)
end
place(member, ARGV[6] == '1', expires, wake, lease)
return { 'stored', int(now_us) }
