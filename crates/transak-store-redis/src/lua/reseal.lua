-- ARGV: clock, the record as it was, the record as it is to be. Nothing happens if it has changed meanwhile.
if redis.call('GET', KEYS[8]) ~= ARGV[2] then
  return { 'changed', int(now_us) }
end
redis.call('SET', KEYS[8], ARGV[3], 'KEEPTTL')
return { 'resealed', int(now_us) }
