// One function a command. Inner header of cli.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace laketap::cli {

inline constexpr const char* kVersion = "0.1.0";

struct UpOptions {
  std::string data = "./laketap-data";
  std::string listen = "127.0.0.1:4566";
  std::string tls_listen;         // Empty: no TLS listener.
  std::string tls_cert, tls_key;  // PEM files; empty: a certificate of the folder's own authority.
  std::string account = "000000000000";
  std::string region = "us-east-1";
  size_t threads = 2;
  uint64_t journal_mib_max = 8192;
  uint64_t worker_memory_mib = 1024;
  size_t queries_max = 2;
  bool allow_unsandboxed_worker = false;
  bool allow_plain_http_login = false;
};
int up(const UpOptions& options);

// How a command finds its server: --endpoint, AWS_ENDPOINT_URL, or what `up` wrote into the data
// folder.
struct Target {
  std::string data = "./laketap-data";
  std::string endpoint;
};
int env(const Target& target);

struct DeployOptions {
  Target target;
  std::string file;  // Empty: the built-in pipeline.
  std::string stack_name = "serverless-app-analytics";
  std::vector<std::string> parameters;  // name=value
};
int deploy(const DeployOptions& options);

struct GenerateOptions {
  Target target;
  std::string stream, template_name = "builtin:clickstream", report = "text";
  double rate = 100;
  uint64_t count = 0;  // 0: until interrupted.
  size_t connections = 1, batch = 500, replay = 0;
  std::optional<uint64_t> seed;
};
int generate(const GenerateOptions& options);

struct QueryOptions {
  Target target;
  std::string sql, database = "default", format = "table";
};
int query(const QueryOptions& options);

}  // namespace laketap::cli
