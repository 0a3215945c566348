// Goal: the TLS listener serves what the plain one serves, to clients that trust our authority, and
// closes on whoever does not speak TLS.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "server/authority.h"
#include "server/testing.h"

namespace laketap::server {
namespace {

using testing::put_record;
using testing::RawClient;
using testing::s3_request;
using testing::TestServer;

// A blocking client that trusts one authority.
class TlsClient {
 public:
  TlsClient(uint16_t port, const std::string& authority, const char* protocols = nullptr)
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), socket_(port) {
    EXPECT_EQ(SSL_CTX_load_verify_file(context_.get(), authority.c_str()), 1);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    stream_.reset(SSL_new(context_.get()));
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream_.get()), "127.0.0.1");
    if (protocols)
      SSL_set_alpn_protos(stream_.get(), reinterpret_cast<const unsigned char*>(protocols),
                          static_cast<unsigned>(std::strlen(protocols)));
    SSL_set_fd(stream_.get(), socket_.descriptor());
    connected = SSL_connect(stream_.get()) == 1;
  }
  // Everything until the server closes.
  std::string ask(std::string_view bytes) {
    size_t moved = 0;
    if (SSL_write_ex(stream_.get(), bytes.data(), bytes.size(), &moved) != 1) return "";
    std::string out;
    char block[16 << 10];
    while (SSL_read_ex(stream_.get(), block, sizeof block, &moved) == 1) out.append(block, moved);
    return out;
  }
  bool connected = false;

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  RawClient socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> stream_{nullptr, &SSL_free};
};

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "tls-test-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~TlsTest() override { std::filesystem::remove_all(directory_); }

  Result<Certificate> certificate(Timestamp now = io::real_clock().now()) {
    return own_certificate(io::real_files(), directory_ + "/tls", now);
  }
  Options options() {
    const auto made = certificate();
    EXPECT_TRUE(made) << made.error().what;
    Options options;
    options.tls = TlsListener{.chain_pem = made->chain_pem, .key_pem = made->key_pem};
    return options;
  }
  std::string authority() const { return directory_ + "/tls/ca.pem"; }

  std::string directory_;
};

TEST_F(TlsTest, ARequestIsServedToWhoTrustsOurAuthority) {
  TestServer server(options());
  testing::Request request = put_record();
  request.header("Connection").value = "close";
  TlsClient client(server.server->tls_port(), authority());
  ASSERT_TRUE(client.connected);
  EXPECT_TRUE(client.ask(request.sign().bytes()).ends_with(R"({"RecordId":"1"})"));
  EXPECT_TRUE(server.works()) << "the plain listener";
}

TEST_F(TlsTest, LargeBodiesGoBothWays) {
  TestServer server(options());
  const std::string body(3'000'000, 'x');
  server.object_path = directory_ + "/object";
  std::ofstream(server.object_path) << body;
  testing::Request put = s3_request("PUT", "/b/k", body);
  put.header("Connection").value = "close";
  TlsClient first(server.server->tls_port(), authority());
  EXPECT_TRUE(first.ask(put.sign().bytes()).starts_with("HTTP/1.1 200"));
  ASSERT_EQ(server.stored().size(), 1u);
  EXPECT_TRUE(server.stored().front() == "b/k=" + body);
  testing::Request get = s3_request("GET", "/b/3000000");
  get.header("Connection").value = "close";
  TlsClient second(server.server->tls_port(), authority());
  EXPECT_TRUE(second.ask(get.sign().bytes()).ends_with("\r\n\r\n" + body));
}

TEST_F(TlsTest, WhoDoesNotSpeakOurTlsIsClosedOn) {
  Options made = options();
  made.head_wait_max = std::chrono::seconds(1);
  TestServer server(made);
  RawClient plain(server.server->tls_port());
  ASSERT_TRUE(plain.send(put_record().sign().bytes()));
  EXPECT_FALSE(plain.read().status);
  RawClient silent(server.server->tls_port());
  EXPECT_TRUE(silent.closed(std::chrono::seconds(4)));
  RawClient huge(server.server->tls_port());
  (void)huge.send("\x16\x03\x01\xff\xff" + std::string(100'000, '\x01'));
  EXPECT_FALSE(huge.read().status);
  EXPECT_FALSE(TlsClient(server.server->tls_port(), authority(), "\x02h2").connected);
  EXPECT_TRUE(TlsClient(server.server->tls_port(), authority(), "\x02h2\x08http/1.1").connected);
  EXPECT_TRUE(server.works());
  EXPECT_TRUE(server.stored().size() == 1);
}

TEST_F(TlsTest, TheAuthorityStaysAndTheCertificateIsRenewed) {
  const auto first = certificate();
  ASSERT_TRUE(first);
  struct stat info{};
  ASSERT_EQ(stat((directory_ + "/tls/ca-key.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(certificate()->chain_pem, first->chain_pem);
  const auto later = certificate(io::real_clock().now() + std::chrono::days(370));
  ASSERT_TRUE(later);
  EXPECT_NE(later->chain_pem, first->chain_pem);
  const auto authority_of = [](const Certificate& one) {
    return one.chain_pem.substr(one.chain_pem.rfind("-----BEGIN"));
  };
  EXPECT_EQ(authority_of(*later), authority_of(*first));
}

TEST_F(TlsTest, ADamagedCertificateIsAnErrorAtStart) {
  ASSERT_TRUE(certificate());
  std::ofstream(directory_ + "/tls/server.pem") << "nothing";
  EXPECT_EQ(certificate().error().kind, ErrorKind::corrupt);
  Options bad;
  bad.tls = TlsListener{.chain_pem = "nothing", .key_pem = "nothing"};
  TestServer server(bad);
  EXPECT_EQ(server.port, 0);
}

}  // namespace
}  // namespace laketap::server
