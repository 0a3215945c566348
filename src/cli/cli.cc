#include "cli/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdio>

#include "cli/commands.h"
#include "cli/worker_command.h"

namespace laketap::cli {
namespace {

// The program is compiled for Haswell (docs/decisions/0001): say so instead of dying of an illegal
// instruction.
bool cpu_suffices() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") &&
         __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("bmi2");
}

void add_target(CLI::App* command, Target& target) {
  command->add_option("--data", target.data, "The server's data folder, for its address and keys")
      ->capture_default_str();
  command->add_option("--endpoint", target.endpoint,
                      "The server's address (else AWS_ENDPOINT_URL, else from the data folder)");
}

// Every flag has a variable of its name: --queries-max is LAKETAP_QUERIES_MAX.
void name_variables(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({}))
    for (CLI::Option* option : command->get_options()) {
      if (option->get_lnames().empty() || option == command->get_help_ptr()) continue;
      std::string name = "LAKETAP_" + option->get_lnames().front();
      for (char& c : name)
        c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      option->envname(name);
    }
}

}  // namespace

int run(int argc, char** argv) {
  if (!cpu_suffices()) {
    fmt::print(stderr,
               "laketap: this CPU lacks AVX2, PCLMUL, BMI2 or SSE4.2 (Intel Haswell, AMD Zen or "
               "newer have them)\n");
    return 1;
  }
  CLI::App app{"Laketap: Firehose, S3, Glue, Athena and CloudFormation in one program."};
  app.set_version_flag("--version", std::string("laketap ") + kVersion);
  app.require_subcommand(1);

  UpOptions up_options;
  CLI::App* up_command = app.add_subcommand("up", "Serve until SIGTERM");
  up_command->add_option("--data", up_options.data, "Where everything is kept")
      ->capture_default_str();
  up_command->add_option("--listen", up_options.listen, "HOST:PORT; port 0 picks a free one")
      ->capture_default_str();
  up_command->add_option("--tls-listen", up_options.tls_listen, "HOST:PORT for TLS besides");
  CLI::Option* tls_cert = up_command->add_option(
      "--tls-cert", up_options.tls_cert,
      "Its certificate chain, PEM (else one by DIR/tls/ca.pem for localhost)");
  CLI::Option* tls_key =
      up_command->add_option("--tls-key", up_options.tls_key, "The certificate's key, PEM");
  tls_cert->needs(tls_key);
  tls_key->needs(tls_cert);
  up_command
      ->add_option("--account", up_options.account,
                   "The twelve digits of the account (at first start)")
      ->capture_default_str();
  up_command->add_option("--region", up_options.region, "The region of what is made without one")
      ->capture_default_str();
  up_command->add_option("--threads", up_options.threads, "Threads that serve connections")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  up_command
      ->add_option("--journal-mib-max", up_options.journal_mib_max,
                   "Records that wait for delivery; beyond it new ones are refused")
      ->check(CLI::Range(256, 1 << 24))
      ->capture_default_str();
  up_command
      ->add_option("--worker-memory-mib", up_options.worker_memory_mib,
                   "Memory of one query; beyond it, it spills to disk")
      ->check(CLI::Range(64, 1 << 20))
      ->capture_default_str();
  up_command->add_option("--queries-max", up_options.queries_max, "Queries at a time; others wait")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  up_command->add_flag("--allow-unsandboxed-worker", up_options.allow_unsandboxed_worker,
                       "Answer queries where the kernel has no landlock or seccomp");
  up_command->add_flag("--allow-plain-http-login", up_options.allow_plain_http_login,
                       "Let other machines log in to the console without TLS");

  Target env_target;
  CLI::App* env_command =
      app.add_subcommand("env", "Print what a shell must export to reach the server");
  add_target(env_command, env_target);

  DeployOptions deploy_options;
  CLI::App* deploy_command = app.add_subcommand("deploy", "Deploy a stack and print its events");
  add_target(deploy_command, deploy_options.target);
  deploy_command->add_option("template", deploy_options.file,
                             "A CloudFormation template (default: the built-in pipeline)");
  deploy_command->add_option("--stack-name", deploy_options.stack_name)->capture_default_str();
  deploy_command->add_option("--parameter", deploy_options.parameters,
                             "name=value; may be given often");

  GenerateOptions generate_options;
  uint64_t seed = 0;
  CLI::App* generate_command =
      app.add_subcommand("generate", "Send generated records to a delivery stream");
  add_target(generate_command, generate_options.target);
  generate_command->add_option("--stream", generate_options.stream, "The delivery stream")
      ->required();
  generate_command
      ->add_option("--template", generate_options.template_name, "A file, or builtin:clickstream")
      ->capture_default_str();
  generate_command
      ->add_option("--rate", generate_options.rate, "Records a second; 0: as fast as possible")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  generate_command
      ->add_option("--count", generate_options.count, "Records in all; 0: until interrupted")
      ->capture_default_str();
  generate_command->add_option("--connections", generate_options.connections)
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  generate_command
      ->add_option("--batch", generate_options.batch, "Records a call; 1 sends PutRecord")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  generate_command
      ->add_option("--replay", generate_options.replay,
                   "Sign so many batches ahead and send them round")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  CLI::Option* seed_option =
      generate_command->add_option("--seed", seed, "The same seed gives the same records");
  generate_command->add_option("--report", generate_options.report)
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();

  QueryOptions query_options;
  CLI::App* query_command =
      app.add_subcommand("query", "Run one SQL statement and print its result");
  add_target(query_command, query_options.target);
  query_command->add_option("sql", query_options.sql)->required();
  query_command->add_option("--database", query_options.database)->capture_default_str();
  query_command->add_option("--format", query_options.format)
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();

  CLI::App* worker =
      app.add_subcommand("worker", "Started by the server: runs queries in a sandbox");
  worker->group("");
  worker->allow_extras();

  try {
    name_variables(app);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  if (seed_option->count() > 0) generate_options.seed = seed;
  if (up_command->parsed()) return up(up_options);
  if (env_command->parsed()) return env(env_target);
  if (deploy_command->parsed()) return deploy(deploy_options);
  if (generate_command->parsed()) return generate(generate_options);
  if (query_command->parsed()) return query(query_options);
  return worker_command(worker->remaining());
}

}  // namespace laketap::cli
