-- KEYS from 8 on: record and lease of each. ARGV: clock, span, the members.
local span, members = tonumber(ARGV[2]), {}
for i = 3, #ARGV do
  members[#members + 1] = ARGV[i]
end
local untill = math.min(now + span, LAST)
local ready = redis.call('ZMSCORE', R, unpack(members))
local first = epochs(#members)
local answer, gone, taken, waiting, leased = {}, {}, {}, {}, {}
for i, member in ipairs(members) do
  local B, L = KEYS[6 + 2 * i], KEYS[7 + 2 * i]
  local blob = ready[i] and redis.call('GET', B)
  local before = blob and lease_of(L)
  if ready[i] and not blob then
    gone[#gone + 1] = member
  elseif blob and not is_live(before) then
    local _, _, _, wake = head(blob)
    wake = wake or now
    local epoch = int(first + i - 1)
    put_lease(L, epoch, now, untill)
    taken[#taken + 1] = member
    waiting[#waiting + 1] = math.max(wake, untill)
    waiting[#waiting + 1] = member
    leased[#leased + 1] = wake
    leased[#leased + 1] = member
    answer[#answer + 1] = { member, epoch, before and int(math.max(now - before.taken, 0)) or '', blob }
  end
end
if #gone > 0 then
  for _, key in ipairs({ X, Q, R, N, D, O }) do
    redis.call('ZREM', key, unpack(gone))
  end
end
if #taken > 0 then
  redis.call('ZREM', R, unpack(taken))
  redis.call('ZREM', N, unpack(taken))
  redis.call('ZADD', Q, unpack(waiting))
  redis.call('ZADD', D, unpack(leased))
end
return { 'taken', int(now_us), answer }
