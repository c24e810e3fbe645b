-- KEYS 1: the tenant's bucket. ARGV: permits. The next draw cuts what is too much.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBYFLOAT', KEYS[1], 'permits', ARGV[1])
end
return {}
