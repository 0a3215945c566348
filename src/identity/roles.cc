#include "identity/roles.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace laketap::identity {
namespace {

namespace json = boost::json;

constexpr size_t kRolesMax = 5000;  // IAM's quota, raised.

std::string role_key(const std::string& name) {
  return state::key("role", name);
}

std::string write_role(const Role& role) {
  json::object tags, policies;
  for (const auto& [key, value] : role.tags) tags[key] = value;
  for (const auto& [key, value] : role.inline_policies) policies[key] = value;
  json::array attached;
  for (const std::string& arn : role.attached) attached.emplace_back(arn);
  return json::serialize(json::object{{"name", role.name},
                                      {"path", role.path},
                                      {"id", role.id},
                                      {"arn", role.arn},
                                      {"trust", role.trust_policy},
                                      {"description", role.description},
                                      {"created", role.created.time_since_epoch().count()},
                                      {"session", role.session_seconds_max},
                                      {"boundary", role.permissions_boundary},
                                      {"tags", std::move(tags)},
                                      {"policies", std::move(policies)},
                                      {"attached", std::move(attached)}});
}

Result<Role> read_role(std::string_view text) {
  try {
    const json::object object = json::parse(text).as_object();
    const auto member = [&](const char* name) { return std::string(object.at(name).as_string()); };
    Role role{.name = member("name"),
              .path = member("path"),
              .id = member("id"),
              .arn = member("arn"),
              .trust_policy = member("trust"),
              .description = member("description")};
    role.created = from_epoch_micros(object.at("created").to_number<int64_t>());
    role.session_seconds_max = object.at("session").to_number<int64_t>();
    role.permissions_boundary = member("boundary");
    for (const auto& one : object.at("tags").as_object())
      role.tags[std::string(one.key())] = std::string(one.value().as_string());
    for (const auto& one : object.at("policies").as_object())
      role.inline_policies[std::string(one.key())] = std::string(one.value().as_string());
    for (const json::value& one : object.at("attached").as_array())
      role.attached.emplace_back(one.as_string());
    return role;
  } catch (const std::exception& exception) {
    return fail(ErrorKind::corrupt, std::string("reading a role: ") + exception.what());
  }
}

}  // namespace

Result<Role> Roles::create(const Caller& caller, Role wanted) {
  wanted.id = "AROA" + io::random_text(random_, 17, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  wanted.arn = fmt::format("arn:aws:iam::{}:role{}{}", caller.account, wanted.path, wanted.name);
  wanted.created = clock_.now();
  const Result<> done =
      state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
        const auto found = transaction.get(role_key(wanted.name));
        if (!found) return fail(found.error());
        if (*found)
          return fail(ErrorKind::exists,
                      fmt::format("Role with name {} already exists.", wanted.name));
        transaction.put(role_key(wanted.name), write_role(wanted));
        return {};
      });
  if (!done) return fail(done.error());
  return wanted;
}

Result<Role> Roles::find(const std::string& name) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const auto found = (*transaction)->get(role_key(name));
  if (!found) return fail(found.error());
  if (!*found)
    return fail(ErrorKind::not_found, fmt::format("The role with name {} cannot be found.", name));
  return read_role((*found)->value);
}

Result<std::vector<Role>> Roles::list(const std::string& path_prefix) const {
  const auto transaction = database_.begin();
  if (!transaction) return fail(transaction.error());
  const std::string prefix = state::key("role");
  const auto entries = (*transaction)->scan(prefix, state::prefix_end(prefix), kRolesMax);
  if (!entries) return fail(entries.error());
  std::vector<Role> out;
  for (const state::Entry& entry : *entries) {
    Result<Role> role = read_role(entry.value);
    if (!role) return fail(role.error());
    if (role->path.starts_with(path_prefix)) out.push_back(std::move(*role));
  }
  return out;
}

Result<> Roles::remove(const std::string& name) {
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    const auto found = transaction.get(role_key(name));
    if (!found) return fail(found.error());
    if (!*found)
      return fail(ErrorKind::not_found,
                  fmt::format("The role with name {} cannot be found.", name));
    const Result<Role> role = read_role((*found)->value);
    if (!role) return fail(role.error());
    if (!role->inline_policies.empty())
      return fail(ErrorKind::conflict, "Cannot delete entity, must delete policies first.");
    if (!role->attached.empty())
      return fail(ErrorKind::conflict, "Cannot delete entity, must detach all policies first.");
    transaction.erase(role_key(name));
    return {};
  });
}

Result<> Roles::update(const std::string& name, const std::function<Result<>(Role&)>& change) {
  return state::transact(database_, [&](state::Transaction& transaction) -> Result<> {
    const auto found = transaction.get(role_key(name));
    if (!found) return fail(found.error());
    if (!*found)
      return fail(ErrorKind::not_found,
                  fmt::format("The role with name {} cannot be found.", name));
    Result<Role> role = read_role((*found)->value);
    if (!role) return fail(role.error());
    if (const Result<> changed = change(*role); !changed) return changed;
    transaction.put(role_key(name), write_role(*role));
    return {};
  });
}

}  // namespace laketap::identity
