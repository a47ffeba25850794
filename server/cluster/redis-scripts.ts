/**
 * The directory in Redis. Each script is atomic, and every key begins with the group's prefix, ARGV[1]:
 *
 *     workers              set: ids
 *     worker:ID            hash: url, slots, free, draining. Gone after 2 s without a beat: then the worker is dead
 *     seats:ID             sorted set: hashes of seats that others reserved there, by when they are given up
 *     session:ID           hash: owner (empty where it was given up), generation, keys, watch, saved
 *     key:HASH, watch:HASH id of the session that a token opens, or that a key lets watch
 *
 * Keys are made up inside the scripts, so this is for one Redis (or one with replicas), and not for Redis Cluster.
 */

const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

// Of every worker that lives: its id and fields. The dead are taken off the list.
const LIVING = `
local living = {}
for _, id in ipairs(redis.call('SMEMBERS', ARGV[1] .. 'workers')) do
  local w = redis.call('HMGET', ARGV[1] .. 'worker:' .. id, 'url', 'slots', 'free', 'draining')
  if w[1] then
    table.insert(living, { id = id, url = w[1], slots = w[2], free = w[3], draining = w[4] })
  else
    redis.call('SREM', ARGV[1] .. 'workers', id)
  end
end
`

export const SCRIPTS = {
  // prefix, me, url, slots, free, draining, silent ms
  beat: `${NOW}
local seats = ARGV[1] .. 'seats:' .. ARGV[2]
redis.call('ZREMRANGEBYSCORE', seats, '-inf', now)
local reserved = redis.call('ZCARD', seats)
local worker = ARGV[1] .. 'worker:' .. ARGV[2]
redis.call('HSET', worker, 'url', ARGV[3], 'slots', ARGV[4], 'free', ARGV[5] - reserved, 'draining', ARGV[6])
redis.call('PEXPIRE', worker, ARGV[7])
redis.call('SADD', ARGV[1] .. 'workers', ARGV[2])
return reserved`,

  // prefix
  list: `${LIVING}
local flat = {}
for _, w in ipairs(living) do
  for _, v in ipairs({ w.id, w.url, w.slots, w.free, w.draining }) do table.insert(flat, v) end
end
return flat`,

  // prefix, me, url, seat, ms that it is kept
  reserve: `${NOW}${LIVING}
local best
for _, w in ipairs(living) do
  local open = w.id ~= ARGV[2] and w.url ~= ARGV[3] and w.draining == '0' and tonumber(w.free) > 0
  if open and (not best or tonumber(w.free) > tonumber(best.free)) then best = w end
end
if not best then return false end
redis.call('HINCRBY', ARGV[1] .. 'worker:' .. best.id, 'free', -1)
local seats = ARGV[1] .. 'seats:' .. best.id
redis.call('ZADD', seats, now + ARGV[5], ARGV[4])
redis.call('PEXPIRE', seats, ARGV[5])
return best.url`,

  // prefix, me, seat
  redeem: `${NOW}
local seats = ARGV[1] .. 'seats:' .. ARGV[2]
local untilMs = redis.call('ZSCORE', seats, ARGV[3])
redis.call('ZREM', seats, ARGV[3])
return untilMs and tonumber(untilMs) > now and 1 or 0`,

  // prefix, me, url, watch
  locate: `
local id = redis.call('GET', ARGV[1] .. 'watch:' .. ARGV[4])
if not id then return false end
local owner = redis.call('HGET', ARGV[1] .. 'session:' .. id, 'owner')
if not owner then return false end
if owner == ARGV[2] then return '' end
local url = redis.call('HGET', ARGV[1] .. 'worker:' .. owner, 'url')
return url and url ~= ARGV[3] and url or ''`,

  // prefix, me, url, key, ms that a session is kept
  claim: `
local id = redis.call('GET', ARGV[1] .. 'key:' .. ARGV[4])
local session = ARGV[1] .. 'session:' .. (id or '')
local owner = id and redis.call('HGET', session, 'owner')
if not owner then return { 'unknown' } end
if owner ~= '' and owner ~= ARGV[2] then
  local worker = ARGV[1] .. 'worker:' .. owner
  local url = redis.call('HGET', worker, 'url')
  if url and url ~= ARGV[3] then return { 'elsewhere', url, redis.call('PTTL', worker) } end
end
redis.call('HSET', session, 'owner', ARGV[2])
redis.call('PEXPIRE', session, ARGV[5])
local generation = redis.call('HINCRBY', session, 'generation', 1)
return { 'claimed', id, generation, redis.call('HGET', session, 'watch'), redis.call('HGET', session, 'saved') }`,

  // prefix, me, id, generation, released, ms that it is kept, watch, saved, keys ...
  keep: `
local session = ARGV[1] .. 'session:' .. ARGV[3]
local before = redis.call('HMGET', session, 'owner', 'generation', 'keys')
if before[1] and before[1] ~= ARGV[2] and tonumber(before[2]) >= tonumber(ARGV[4]) then return 'lost' end
for key in string.gmatch(before[3] or '', '%S+') do redis.call('DEL', ARGV[1] .. 'key:' .. key) end
local keys = {}
for i = 9, #ARGV do
  table.insert(keys, ARGV[i])
  redis.call('SET', ARGV[1] .. 'key:' .. ARGV[i], ARGV[3], 'PX', ARGV[6])
end
redis.call('SET', ARGV[1] .. 'watch:' .. ARGV[7], ARGV[3], 'PX', ARGV[6])
local owner = ARGV[5] == '1' and '' or ARGV[2]
redis.call('HSET', session, 'owner', owner, 'generation', ARGV[4], 'keys', table.concat(keys, ' '), 'watch', ARGV[7])
if ARGV[8] ~= '' then redis.call('HSET', session, 'saved', ARGV[8]) end
redis.call('PEXPIRE', session, ARGV[6])
return redis.call('HEXISTS', session, 'saved') == 1 and 'kept' or 'bare'`,

  // prefix, me, id
  forget: `
local session = ARGV[1] .. 'session:' .. ARGV[3]
local before = redis.call('HMGET', session, 'owner', 'keys', 'watch')
if before[1] ~= ARGV[2] then return 0 end
for key in string.gmatch(before[2] or '', '%S+') do redis.call('DEL', ARGV[1] .. 'key:' .. key) end
redis.call('DEL', session, ARGV[1] .. 'watch:' .. (before[3] or ''))
return 1`,

  // prefix, me
  leave: `
redis.call('SREM', ARGV[1] .. 'workers', ARGV[2])
return redis.call('DEL', ARGV[1] .. 'worker:' .. ARGV[2], ARGV[1] .. 'seats:' .. ARGV[2])`,
} as const
