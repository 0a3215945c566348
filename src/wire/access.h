// Type-erased access to the C++ types that generated structs are made of. Used by generated code
// only.
#pragma once

#include "wire/shape.h"

namespace laketap::wire {

template <class T>
inline constexpr OptionalAccess kOptional = {
    [](void* optional) -> void* { return &static_cast<std::optional<T>*>(optional)->emplace(); },
    [](void* optional) { static_cast<std::optional<T>*>(optional)->reset(); },
    [](const void* optional) -> const void* {
      const auto& value = *static_cast<const std::optional<T>*>(optional);
      return value ? &*value : nullptr;
    }};

template <class T>
inline constexpr OptionalAccess kBox = {
    [](void* box) -> void* { return &static_cast<Box<T>*>(box)->emplace(); },
    [](void* box) { *static_cast<Box<T>*>(box) = {}; },
    [](const void* box) -> const void* { return static_cast<const Box<T>*>(box)->get(); }};

template <class T>
inline constexpr ListAccess kList = {
    [](void* list) { static_cast<std::vector<T>*>(list)->clear(); },
    [](void* list) -> void* { return &static_cast<std::vector<T>*>(list)->emplace_back(); },
    [](const void* list) { return static_cast<const std::vector<T>*>(list)->size(); },
    [](const void* list, size_t index) -> const void* {
      return &(*static_cast<const std::vector<T>*>(list))[index];
    }};

template <class T>
inline constexpr MapAccess kMap = {
    [](void* map) { static_cast<std::map<std::string, T>*>(map)->clear(); },
    [](void* map, std::string key) -> void* {
      return &(*static_cast<std::map<std::string, T>*>(map))[std::move(key)];
    },
    [](const void* map) { return static_cast<const std::map<std::string, T>*>(map)->size(); },
    [](const void* map, void* context, void (*visit)(void*, const std::string&, const void*)) {
      for (const auto& [key, value] : *static_cast<const std::map<std::string, T>*>(map))
        visit(context, key, &value);
    }};

}  // namespace laketap::wire
