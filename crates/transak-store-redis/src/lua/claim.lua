-- ARGV: clock, member, span
local B, L = KEYS[8], KEYS[9]
local before, blob = lease_of(L), redis.call('GET', B)
if is_live(before) then
  return { 'busy', int(now_us), int(before.untill - now), blob }
end
local lease = { epoch = int(epochs(1)), untill = math.min(now + tonumber(ARGV[3]), LAST) }
put_lease(L, lease.epoch, now, lease.untill)
if blob then
  local _, alive, expires, wake = head(blob)
  if alive then
    place(ARGV[2], alive, expires, wake, lease)
  end
end
local age = before and int(math.max(now - before.taken, 0)) or ''
return { 'granted', int(now_us), lease.epoch, age, blob }
