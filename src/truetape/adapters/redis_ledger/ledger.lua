-- One step of the ledger: everything is read, decided and written at once, at the server's own time (microseconds).
-- It follows domain/quota.py, function by function; tests/contracts/test_ledger.py holds both to the same promises.
-- KEYS: the account's book, the provider's money. ARGV[1]: what is asked, in MessagePack.
-- A count is {start, stop, used, grains, told, told_at, told_until, length}, a grain {number, used, last}.

local KEPT_MS = 400 * 86400 * 1000
local GRAINS = 64
local NEVER = -1

local ask = cmsgpack.unpack(ARGV[1])
local now = ask.now
if now == 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local stored = redis.call('GET', KEYS[1])
local book = stored and cmsgpack.unpack(stored) or { seen = 0, counts = {} }
if now < book.seen then now = book.seen end

local function whole(number) return string.format('%.0f', number) end

local function symbols_of(name) return KEYS[1] .. ':symbols:' .. name end

local function save()
  redis.call('SET', KEYS[1], cmsgpack.pack(book), 'PX', whole(KEPT_MS))
end

local function grain_length(window) return math.floor(window.length / GRAINS) end

local function sum(count)
  count[3] = 0
  for _, grain in ipairs(count[4]) do count[3] = count[3] + grain[2] end
end

-- nil where the period that the client sent does not hold the server's time: it must send another.
local function current(window)
  local count = book.counts[window.name] or { 0, 0, 0, {}, 0, 0, 0, 0 }
  if count[7] > 0 and count[7] <= now then count[5], count[6], count[7] = 0, 0, 0 end
  if not window.rolling then
    if now >= count[2] then
      if now < window.start or now >= window.stop then return nil end
      count[1], count[2], count[3] = window.start, window.stop, 0
    end
    return count
  end
  count[8] = window.length
  if #count[4] > 0 and count[4][1][3] <= now - window.length then
    local live = {}
    for _, grain in ipairs(count[4]) do
      if grain[3] > now - window.length and grain[2] > 0 then live[#live + 1] = grain end
    end
    count[4] = live
    sum(count)
  end
  return count
end

-- Forgets the symbols that have left a window; the others of a rolling one become its grains.
local function count_symbols(window, count)
  local since = window.rolling and now - window.length + 1 or count[1]
  redis.call('ZREMRANGEBYSCORE', symbols_of(window.name), '-inf', '(' .. whole(since))
  if not window.rolling then return end
  local held = redis.call('ZRANGE', symbols_of(window.name), 0, -1, 'WITHSCORES')
  count[4] = {}
  for place = 2, #held, 2 do count[4][place / 2] = { 0, 1, tonumber(held[place]) } end
  count[3] = #count[4]
end

-- Returns the current counts by name, or nil.
local function counted()
  local counts = {}
  for _, window in ipairs(ask.windows) do
    local count = current(window)
    if not count then return nil end
    if window.symbols then count_symbols(window, count) end
    counts[window.name] = count
  end
  return counts
end

local function new_symbols(window)
  local new = {}
  for _, symbol in ipairs(ask.symbols) do
    if not redis.call('ZSCORE', symbols_of(window.name), symbol) then new[#new + 1] = symbol end
  end
  return new
end

local function frees(count, window, missing)
  if not window.rolling then return count[2] end
  for _, grain in ipairs(count[4]) do
    missing = missing - grain[2]
    if missing <= 0 then return grain[3] + window.length end
  end
  return count[4][#count[4]][3] + window.length
end

-- 0 if the request fits.
local function full(count, window, cost)
  local room = math.max(window.limit * (1 - ask.kept), math.min(cost, window.limit)) + window.limit * 1e-9
  if cost > room then return NEVER end
  local till = 0
  if count[5] + cost > room then till = count[7] end
  if count[3] + cost > room then till = math.max(till, frees(count, window, count[3] + cost - room)) end
  return till
end

local function charge(count, window, cost)
  if count[7] > 0 then count[5] = count[5] + cost end
  count[3] = count[3] + cost
  if not window.rolling then return end
  local number = math.floor(now / grain_length(window))
  local last = count[4][#count[4]]
  if last and last[1] == number then
    last[2], last[3] = last[2] + cost, now
  else
    count[4][#count[4] + 1] = { number, cost, now }
  end
end

local function pay(amount, at)
  if amount == 0 then return end
  local key = KEYS[2] .. whole(math.floor(at / 86400000000))
  redis.call('HINCRBYFLOAT', key, whole(math.floor(at / 60000000)), string.format('%.17g', amount))
  redis.call('PEXPIRE', key, whole(KEPT_MS))
end

local function tidy(in_use)
  for name, count in pairs(book.counts) do
    local last = count[4][#count[4]]
    local over = now >= count[2] and not (last and last[3] > now - count[8]) and count[7] <= now
    if count[8] > 0 and count[3] > 0 and not last then over = false end -- symbols of a rolling window
    if not in_use[name] and over then
      book.counts[name] = nil
      redis.call('DEL', symbols_of(name))
    end
  end
end

local function reserve()
  local counts = counted()
  if not counts then return { time = now } end
  local new, costs, till, fullest = {}, {}, 0, nil
  for place, window in ipairs(ask.windows) do
    costs[place] = window.cost
    if window.symbols and window.concerned then
      new[window.name] = new_symbols(window)
      costs[place] = #new[window.name]
    end
    local wait = costs[place] > 0 and full(counts[window.name], window, costs[place]) or 0
    if wait == NEVER or (till ~= NEVER and wait > till) then till, fullest = wait, place end
  end
  if fullest then return { denied = fullest, till = till } end
  local charged = {}
  for place, window in ipairs(ask.windows) do
    local count = counts[window.name]
    if costs[place] > 0 and not charged[window.name] then charge(count, window, costs[place]) end
    charged[window.name] = true
    if window.symbols and window.rolling then count[4] = {} end
    if window.symbols and window.concerned then
      for _, symbol in ipairs(ask.symbols) do redis.call('ZADD', symbols_of(window.name), whole(now), symbol) end
      redis.call('PEXPIRE', symbols_of(window.name), whole(KEPT_MS))
    end
    book.counts[window.name] = count
  end
  book.seen = now
  tidy(counts)
  save()
  pay(ask.money, now)
  return { at = now, costs = costs, new = new }
end

local function refund(window, count)
  local cost = window.cost
  if window.symbols then
    cost = 0
    for _, symbol in ipairs(window.new) do
      if tonumber(redis.call('ZSCORE', symbols_of(window.name), symbol) or -1) == ask.at then
        cost = cost + redis.call('ZREM', symbols_of(window.name), symbol)
      end
    end
  end
  if count[7] > 0 and count[6] < ask.at then count[5] = math.max(0, count[5] - cost) end
  if not window.rolling then
    if count[1] <= ask.at and ask.at < count[2] then count[3] = math.max(0, count[3] - cost) end
    return
  end
  local number = math.floor(ask.at / grain_length(window))
  for _, grain in ipairs(count[4]) do
    if grain[1] == number then grain[2] = math.max(0, grain[2] - cost) end
  end
  sum(count)
end

local function settle()
  for _, window in ipairs(ask.windows) do
    local count = book.counts[window.name]
    if count then refund(window, count) end
  end
  save()
  pay(-ask.money, ask.at)
  return { at = now }
end

local function correct()
  local counts = counted()
  if not counts then return { time = now } end
  for _, window in ipairs(ask.windows) do
    local count = counts[window.name]
    local told = window.limit - math.max(0, window.left)
    local till = window.rolling and now + window.length or count[2]
    local reset = window.resets_in and now + window.resets_in or window.resets_at
    if reset and reset <= now + 2 * window.length then till = math.floor(reset) end
    if told > 0 and told >= math.max(count[3], count[5]) and till > now then
      count[5], count[6], count[7] = told, now, math.max(till, count[7])
      if window.symbols and window.rolling then count[4] = {} end
      book.counts[window.name] = count
      book.seen = now
    end
  end
  save()
  return { at = now }
end

local function read()
  local counts = counted()
  if not counts then return { time = now } end
  local found = {}
  for place, window in ipairs(ask.windows) do
    local count = counts[window.name]
    local oldest = count[4][1] and count[4][1][3] or 0
    found[place] = { count[1], count[2], count[3], oldest, count[5], count[6], count[7] }
  end
  return { at = now, found = found }
end

local steps = { reserve = reserve, settle = settle, correct = correct, read = read }
return cmsgpack.pack(steps[ask.step]())
