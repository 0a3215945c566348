// ingest/streams.cc - definitions: a change is a row first, then what everybody sees.
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "ingest/core.h"

namespace laketap::ingest {
namespace {

std::unexpected<Error> no_stream(std::string_view name) {
  return fail(ErrorKind::not_found, fmt::format("no stream {}", name));
}

}  // namespace

Streams::Streams(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Streams::~Streams() = default;

Result<std::unique_ptr<Streams>> Streams::open(Parts parts) {
  auto core = std::make_unique<Core>(parts);
  auto definitions = read_definitions(parts.database);
  if (!definitions) return fail(definitions.error());
  for (Definition& definition : *definitions) {
    auto stream = std::make_shared<Stream>();
    stream->buffer = parts.delivery.open_buffer(definition.delivery);
    stream->definition = std::move(definition);
    core->streams[stream->definition.name] = stream;
  }
  // Deletions that the end of the process interrupted.
  std::vector<StreamPtr> deleting;
  for (const auto& [name, stream] : core->streams)
    if (stream->definition.status == Status::deleting) deleting.push_back(stream);
  for (const StreamPtr& stream : deleting) core->close(stream, false);
  return std::unique_ptr<Streams>(new Streams(std::move(core)));
}

Result<StreamPtr> Streams::Core::find(std::string_view name) const {
  const std::shared_lock lock(mutex);
  const auto found = streams.find(name);
  if (found == streams.end()) return no_stream(name);
  return found->second;
}

Result<Definition> Streams::create(NewStream wanted) {
  Core& core = *core_;
  const std::lock_guard changing(core.changing);
  if (core.find(wanted.name))
    return fail(ErrorKind::exists, fmt::format("stream {} exists", wanted.name));
  const Names existing = list("", core.parts.streams_max);
  if (existing.names.size() >= core.parts.streams_max)
    return fail(
        ErrorKind::too_large,
        fmt::format(
            "You have already consumed your firehose quota of {} hoses. Firehose names: [{}]",
            core.parts.streams_max, fmt::join(existing.names, ", ")));
  if (wanted.tags.size() > kTagsMax) return fail(ErrorKind::too_large, "more than 50 tags");

  auto stream = std::make_shared<Stream>();
  Definition& definition = stream->definition;
  definition.name = wanted.name;
  definition.account = wanted.account;
  definition.arn = fmt::format("arn:aws:firehose:{}:{}:deliverystream/{}", wanted.region,
                               wanted.account, wanted.name);
  definition.id = core.parts.random.next();
  definition.created = core.parts.clock.now();
  definition.destination = std::move(wanted.destination);
  definition.delivery = std::move(wanted.delivery);
  definition.tags = std::move(wanted.tags);
  definition.encryption = std::move(wanted.encryption);
  definition.throughput_mib_hint = wanted.throughput_mib_hint;
  Definition written = definition;
  if (const auto replaced = core.replace(stream, std::move(written), true); !replaced)
    return fail(replaced.error());

  stream->buffer = core.parts.delivery.open_buffer(stream->definition.delivery);
  const std::unique_lock lock(core.mutex);
  core.streams[stream->definition.name] = stream;
  return stream->definition;
}

Result<> Streams::Core::replace(const StreamPtr& stream, Definition changed,
                                bool new_configuration) {
  changed.delivery.stream = changed.id;
  changed.delivery.version = changed.version;
  changed.delivery.stream_name = changed.name;
  const auto written =
      state::transact(parts.database, [&](state::Transaction& transaction) -> Result<> {
        transaction.put(definition_key(changed.name), to_row(changed));
        if (new_configuration) delivery::Delivery::put_configuration(transaction, changed.delivery);
        return {};
      });
  if (!written) return fail(written.error(), "writing stream " + changed.name);
  const std::unique_lock lock(mutex);
  stream->definition = std::move(changed);
  return {};
}

Result<> Streams::Core::modify(std::string_view name,
                               const std::function<Result<>(Definition&)>& change) {
  const std::lock_guard one_at_a_time(changing);
  const auto stream = find(name);
  if (!stream) return fail(stream.error());
  Definition changed;
  {
    const std::shared_lock lock(mutex);
    changed = (*stream)->definition;
  }
  if (auto allowed = change(changed); !allowed) return allowed;
  return replace(*stream, std::move(changed), false);
}

Result<Definition> Streams::describe(std::string_view name) const {
  const auto stream = core_->find(name);
  if (!stream) return fail(stream.error());
  const std::shared_lock lock(core_->mutex);
  return (*stream)->definition;
}

Names Streams::list(std::string_view start_after, size_t limit) const {
  const std::shared_lock lock(core_->mutex);
  Names page;
  for (auto at = core_->streams.upper_bound(start_after); at != core_->streams.end(); ++at) {
    if (page.names.size() == limit) {
      page.more = true;
      break;
    }
    page.names.push_back(at->first);
  }
  return page;
}

Result<Definition> Streams::update(std::string_view name, uint64_t expected_version,
                                   std::string destination, delivery::Configuration configuration) {
  Core& core = *core_;
  const std::lock_guard changing(core.changing);
  const auto stream = core.find(name);
  if (!stream) return fail(stream.error());
  Definition changed = *describe(name);
  if (changed.status == Status::deleting)
    return fail(ErrorKind::exists, fmt::format("stream {} is being deleted", name));
  if (changed.version != expected_version)
    return fail(ErrorKind::conflict,
                fmt::format("Cannot update firehose: {} since the current version id: {} and "
                            "specified version id: {} do not match",
                            name, changed.version, expected_version));
  ++changed.version;
  changed.updated = core.parts.clock.now();
  changed.destination = std::move(destination);
  changed.delivery = std::move(configuration);
  if (const auto replaced = core.replace(*stream, std::move(changed), true); !replaced)
    return fail(replaced.error());
  core.parts.delivery.reconfigure(*(*stream)->buffer, (*stream)->definition.delivery);
  return *describe(name);
}

Result<> Streams::remove(std::string_view name, bool discard) {
  StreamPtr stream;
  {
    const std::lock_guard changing(core_->changing);
    const auto found = core_->find(name);
    if (!found) return fail(found.error());
    stream = *found;
    Definition changed = *describe(name);
    changed.status = Status::deleting;
    // A discarded stream's row goes first: after a crash its records are nobody's, and are let go.
    if (discard) {
      const auto erased =
          state::transact(core_->parts.database, [&](state::Transaction& transaction) -> Result<> {
            transaction.erase(definition_key(name));
            return {};
          });
      if (!erased) return fail(erased.error(), "erasing the stream");
      const std::unique_lock lock(core_->mutex);
      stream->definition.status = Status::deleting;
    } else if (const auto replaced = core_->replace(stream, std::move(changed), false); !replaced) {
      return fail(replaced.error());
    }
  }
  core_->close(stream, discard);  // May call forget() at once, so without the lock.
  return {};
}

void Streams::Core::close(const StreamPtr& stream, bool discard) {
  std::string name;
  uint64_t id = 0;
  {
    const std::shared_lock lock(mutex);
    name = stream->definition.name;
    id = stream->definition.id;
  }
  parts.delivery.close_buffer(stream->buffer, discard, [this, name, id] { forget(name, id); });
}

void Streams::Core::forget(const std::string& name, uint64_t id) {
  const std::lock_guard one_at_a_time(changing);
  const auto stream = find(name);
  if (!stream || (*stream)->definition.id != id) return;  // Another of that name.
  const auto erased =
      state::transact(parts.database, [&](state::Transaction& transaction) -> Result<> {
        transaction.erase(definition_key(name));
        return {};
      });
  if (!erased) {  // Stays as deleting; the next start tries again.
    spdlog::error("erasing stream {}: {}", name, erased.error().what);
    return;
  }
  const std::unique_lock lock(mutex);
  streams.erase(name);
}

Result<> Streams::tag(std::string_view name, const std::map<std::string, std::string>& tags) {
  return core_->modify(name, [&](Definition& definition) -> Result<> {
    for (const auto& [key, value] : tags) definition.tags[key] = value;
    if (definition.tags.size() > kTagsMax) return fail(ErrorKind::too_large, "more than 50 tags");
    return {};
  });
}

Result<> Streams::untag(std::string_view name, const std::vector<std::string>& keys) {
  return core_->modify(name, [&](Definition& definition) -> Result<> {
    for (const std::string& key : keys) definition.tags.erase(key);
    return {};
  });
}

Result<> Streams::encrypt(std::string_view name, Encryption encryption) {
  return core_->modify(name, [&](Definition& definition) -> Result<> {
    definition.encryption = encryption;
    return {};
  });
}

std::vector<UndeliveredBatch> Streams::undelivered(std::string_view bucket,
                                                   std::string_view prefix) const {
  return core_->parts.delivery.undelivered(bucket, prefix);
}

std::vector<delivery::StreamMetrics> Streams::metrics() const {
  return core_->parts.delivery.metrics();
}

}  // namespace laketap::ingest
