# frozen_string_literal: true

# Writes the objects of a Ruby process with a first line that says after how many runs.
#
#     require_relative 'heapdiff_capture'
#     HeapdiffCapture.start                       # at the start: remembers where objects are made
#     HeapdiffCapture.dump('run-03.rbheap', run: 3, items: 3000)
#
# then, with dumps of one process after three or more numbers of runs:
#
#     heapdiff cycles run-03.rbheap run-10.rbheap run-20.rbheap
#
# A name that ends in .gz is compressed. The program stands still while it is written. Ruby writes
# the text of strings into the dump; it is left out here unless values: true. Works from Ruby 2.7
# on; needs nothing but Ruby.
require 'json'
require 'objspace'
require 'tempfile'
require 'zlib'

module HeapdiffCapture
  # What follows a `"value":` in a line of a dump: a string of JSON.
  VALUE = /,\s*"value":"(?:[^"\\]|\\.)*"/n.freeze

  class << self
    # Remembers file, line and collection of every object made from now on; about 10 % slower.
    def start
      ObjectSpace.trace_object_allocations_start
      @tracing = true
    end

    # Forgets what was remembered.
    def stop
      ObjectSpace.trace_object_allocations_stop
      ObjectSpace.trace_object_allocations_clear
      @tracing = false
    end

    # Writes the dump to `path`, complete or not at all.
    #
    # run: how many runs (batches, requests, jobs) are completed; items: how many items they
    # handled altogether; label, workload: free text; values: keep the text of strings and
    # symbols. Returns `path`.
    def dump(path, run: nil, items: nil, label: nil, workload: nil, values: false)
      { run: run, items: items }.each do |name, value|
        next if value.nil? || (value.is_a?(Integer) && value >= 0)
        raise ArgumentError, "#{name} is to be a whole number of 0 or more"
      end
      collect
      header = { 'format' => 'heapdiff-ruby', 'version' => 1, 'run' => run, 'items' => items,
                 'label' => label, 'workload' => workload, 'gc' => 'full', 'tracing' => @tracing ? true : false,
                 'runtime_version' => RUBY_VERSION, 'pid' => Process.pid,
                 'gc_count' => GC.count }.compact
      partial = "#{path}.partial"
      raw = "#{path}.objects"
      # The objects go to a file first: written to a string they would be in the dump themselves.
      File.open(raw, 'wb') { |file| ObjectSpace.dump_all(output: file) }
      copy(raw, partial, header, path.end_with?('.gz'), values)
      File.rename(partial, path)
      path
    ensure
      File.delete(raw) if raw && File.exist?(raw)
      File.delete(partial) if partial && File.exist?(partial)
    end

    private

    # Several times: finalizers of the first collection release what the next one collects.
    def collect
      3.times { GC.start(full_mark: true, immediate_sweep: true) }
    end

    def copy(from, to, header, pack, values)
      out = pack ? Zlib::GzipWriter.open(to) : File.open(to, 'wb')
      begin
        out.write(JSON.generate(header), "\n")
        File.open(from, 'rb') do |file|
          file.each_line do |line|
            line.sub!(VALUE, '') unless values
            out.write(line)
          end
        end
      ensure
        out.close
      end
    end
  end
end
