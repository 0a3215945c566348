#include "stacks/types/types.h"

namespace laketap::stacks {

const Type* find_type(std::string_view name) {
  for (const Type* type : {&bucket_type(), &role_type(), &policy_type(), &delivery_stream_type(),
                           &database_type(), &table_type(), &crawler_type()})
    if (type->name() == name) return type;
  return nullptr;
}

}  // namespace laketap::stacks
