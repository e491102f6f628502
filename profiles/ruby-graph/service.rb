# frozen_string_literal: true

# A small shop with one planted fault and three innocents.
#
#     ruby service.rb faulty|cured OUT RUNS...      RUNS: after which numbers of runs to capture
require_relative 'heapdiff_capture'

class Item
  def initialize(number)
    @number = number
    @notes = Array.new(16, number)
  end
end

# The fault: a session registers itself and, unless it is cured, stays registered.
class Session
  def initialize(registry)
    @registry = registry
    @basket = Array.new(20) { |n| Item.new(n) }
    @registry.open << self
  end

  def close(cured)
    @registry.open.delete(self) if cured
  end
end

class Registry
  attr_reader :open

  def initialize
    @open = []
  end
end

# Innocent 1: a cache with a bound, full after four runs.
class Price
  def initialize(key)
    @key = key
    @history = Array.new(8, key)
  end
end

class PriceCache
  def initialize(bound)
    @bound = bound
    @entries = {}
  end

  def get(key)
    @entries[key] ||= Price.new(key)
    @entries.shift if @entries.size > @bound
    @entries[key]
  end
end

# Innocent 2: a doubly linked list of fixed length.
class Visit
  attr_accessor :before, :after
end

# Innocent 3: a tree whose nodes know their parents.
class Category
  def initialize(parent, depth)
    @parent = parent
    @children = depth.positive? ? Array.new(5) { Category.new(self, depth - 1) } : []
  end
end

class Shop
  def initialize
    @registry = Registry.new
    @prices = PriceCache.new(64)
    @categories = Category.new(nil, 3)
    @first = Visit.new
    99.times.inject(@first) do |last, _|
      last.after = Visit.new
      last.after.before = last
      last.after
    end
    @key = 0
  end

  def visit(cured)
    session = Session.new(@registry)
    20.times { @prices.get(@key += 1) }
    session.close(cured)
    nil
  end
end

mode, out, *stops = ARGV
HeapdiffCapture.start
SHOP = Shop.new
done = 0
stops.map(&:to_i).each do |stop|
  SHOP.visit(mode == 'cured') while (done += 1) <= stop
  done -= 1
  HeapdiffCapture.dump(format('%s-%03d.rbheap', out, stop), run: done, items: done, workload: 'visits')
end
